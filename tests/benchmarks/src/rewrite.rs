//! How many lines a second the rewriter takes: reading and parsing a crate, putting the checks in,
//! and reading a file's items as it is done after every save.
//!
//! In this process, without `hot`, on the source of regex-automata; the least of several rounds.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use soft_mock_rewriter::analysis::{forget_sources, FileItems};
use soft_mock_rewriter::instrument::{rewrite, Options};
use soft_mock_rewriter::syntax::{CrateTree, Edition};

use crate::project::published;
use crate::stats::{least, time};

pub(crate) fn run(scratch: &Path, rounds: usize) -> Result<()> {
    let folder = published(scratch, "regex-automata", "0.4.18")?;
    let root = folder.join("src/lib.rs");
    let mut steps = Steps::default();
    for _ in 0..rounds {
        steps.measure(&root)?;
    }
    println!(
        "\n### Rewriting: regex-automata, {} lines in {} files (least of {rounds})\n",
        steps.lines, steps.files
    );
    println!("| step | time | lines a second |\n|---|---|---|");
    row("reading and parsing", steps.lines, &steps.parsing);
    row("putting the checks in", steps.lines, &steps.rewriting);
    row(
        "parsing and items, as for a save",
        steps.lines,
        &steps.items,
    );
    Ok(())
}

fn row(what: &str, lines: usize, times: &[Duration]) {
    let least = least(times);
    let speed = least.map_or(0.0, |least| lines as f64 / least.as_secs_f64());
    println!("| {what} | {} | {speed:.0} |", time(least));
}

#[derive(Default)]
struct Steps {
    lines: usize,
    files: usize,
    parsing: Vec<Duration>,
    rewriting: Vec<Duration>,
    items: Vec<Duration>,
}

impl Steps {
    fn measure(&mut self, root: &Path) -> Result<()> {
        let mut read = |path: &Path| std::fs::read_to_string(path);
        let started = Instant::now();
        let tree = CrateTree::load(root, &mut read)?;
        self.parsing.push(started.elapsed());

        let options = Options {
            edition: Edition::E2021,
            ..Options::default()
        };
        let started = Instant::now();
        let rewritten = rewrite(&tree, &options);
        self.rewriting.push(started.elapsed());
        anyhow::ensure!(
            rewritten.functions.iter().any(|f| f.kind.is_ok()),
            "no function of the crate got a check"
        );

        let started = Instant::now();
        for file in &tree.files {
            let items = FileItems::read(&file.text, &file.path, &file.module)?;
            anyhow::ensure!(items.path == file.path, "another file was read");
        }
        self.items.push(started.elapsed());

        self.files = tree.files.len();
        self.lines = tree
            .files
            .iter()
            .map(|file| file.text.lines().count())
            .sum();
        forget_sources();
        Ok(())
    }
}
