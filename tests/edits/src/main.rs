//! `cargo run -p soft-mock-edits -- --steps 4000 --seed 1`: edits by chance, and what they came to.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use soft_mock_edits::{run, Options, WAYS};
use soft_mock_tests::{folder, hot};

/// Edits programs by chance while they run under `hot`, and looks whether it tells the truth.
#[derive(Parser)]
struct Arguments {
    /// The `hot` that is tried (default: this workspace's own, which is built)
    #[arg(long, value_name = "PATH")]
    hot: Option<PathBuf>,
    /// How many edits
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// How many programs, at most
    #[arg(long, default_value_t = usize::MAX)]
    sessions: usize,
    /// What chance begins with: the same seed makes the same programs and edits
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Optimised programs
    #[arg(long)]
    release: bool,
    /// Only kinds of code whose name contains this; several times
    #[arg(long, value_name = "KIND")]
    only: Vec<String>,
    /// What not to try: a kind, one of its knobs as `kind.knob`, or a way to edit as `way.NAME`;
    /// several times
    #[arg(long, value_name = "KIND[.KNOB]")]
    skip: Vec<String>,
    /// Where faults are written to, a folder each (default: below target/)
    #[arg(long, value_name = "FOLDER")]
    faults: Option<PathBuf>,
    /// Sessions that may be spent on making one fault smaller
    #[arg(long, default_value_t = 16)]
    tries: usize,
    /// Tell each step
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let unknown =
        |skip: &&String| matches!(skip.split_once('.'), Some(("way", way)) if !WAYS.contains(&way));
    if let Some(skip) = arguments.skip.iter().find(unknown) {
        eprintln!(
            "error: no way to edit is called {skip}; there are {}",
            WAYS.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let hot = arguments
        .hot
        .map(|path| path.canonicalize().unwrap_or(path));
    let summary = run(&Options {
        hot: hot.unwrap_or_else(|| hot::binary().to_owned()),
        steps: arguments.steps,
        sessions: arguments.sessions,
        seed: arguments.seed,
        release: arguments.release,
        only: arguments.only,
        skip: arguments.skip,
        faults: arguments
            .faults
            .unwrap_or_else(|| folder::kept().join("edits")),
        tries: arguments.tries,
        verbose: arguments.verbose,
    });
    print!("{}", summary.text());
    match summary.faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
