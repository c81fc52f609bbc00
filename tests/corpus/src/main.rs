//! `cargo run --release -p soft-mock-corpus --
//! functions|meanings|suites|mutations|history|tables`: what `docs/corpus.md` shows.
//!
//! Works on published crates, as cargo fetches them. Every result is written down when it is there,
//! so a run that was stopped goes on where it was; `tables` prints what there is. Knows `hot` from
//! outside only.

mod functions;
mod history;
mod mutations;
mod package;
mod process;
mod records;
mod suites;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Runs `hot` on published crates.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Edits the bodies of functions in living programs and looks whether the program has the new
    /// code.
    Functions {
        /// The projects, all of them without names.
        projects: Vec<String>,
        /// How many functions of each project, chosen by chance, but always the same ones; 0: all.
        #[arg(long, default_value_t = 0)]
        sample: usize,
        /// How many functions are edited in one save; those of a group that is refused are then
        /// edited in smaller ones.
        #[arg(long, default_value_t = 1)]
        together: usize,
    },
    /// Edits bodies of functions, and looks whether what was compiled of each alone refers to what
    /// it refers to in its crate.
    Meanings {
        /// The projects, all of them without names.
        projects: Vec<String>,
        /// How many functions of each project, as above; 0: all.
        #[arg(long, default_value_t = 0)]
        sample: usize,
        /// How many functions are edited in one save.
        #[arg(long, default_value_t = 100)]
        together: usize,
    },
    /// Runs the crates' own tests plain and under `hot cargo test`, and compares them one by one.
    Suites {
        /// The crates, all of them without names.
        crates: Vec<String>,
    },
    /// Mutates functions under `hot test`, and compares the tests that fail with those of a whole
    /// `cargo test`.
    Mutations(mutations::Options),
    /// Saves the commits of a real project one by one, and says what became of each.
    History(history::Options),
    /// Prints the tables of all results so far.
    Tables,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether everything is as it should be.
fn run(options: Options) -> Result<bool> {
    match options.what {
        What::Functions {
            projects,
            sample,
            together,
        } => functions::run(&projects, sample, together),
        What::Meanings {
            projects,
            sample,
            together,
        } => functions::run_meanings(&projects, sample, together),
        What::Suites { crates } => suites::run(&crates),
        What::Mutations(options) => mutations::run(&options),
        What::History(options) => history::run(&options),
        What::Tables => {
            functions::print_table()?;
            functions::print_meanings()?;
            suites::print_table()?;
            Ok(true)
        }
    }
}
