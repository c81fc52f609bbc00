//! What the grammar says is what cargo's own builds of its programs print.

use soft_mock_tests::dice;
use soft_mock_tests::output::Stream;
use soft_mock_tests::project::Project;

use crate::grammar::{Kind, KINDS};
use crate::program::{parse_line, Program, LINE};
use crate::verdict::Model;

/// Each time all kinds, in other editions and crates, and with other choices of their knobs.
#[test]
fn programs_print_what_the_grammar_says() {
    let mut missing: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    for seed in 0..dice::rounds("EDITS_PROGRAMS", 3) {
        let mut dice = dice::seeded(seed as u64);
        let program = Program::of(&mut dice, KINDS.iter().collect(), false);
        missing.retain(|name| !program.fragments.iter().any(|it| it.kind.name == *name));
        let state = program.state_by_chance(&mut dice);
        let right = Model::new(&program, state.clone()).line();
        let project = Project::of_files(&program.render(&state).files);
        let session = project.start("cargo", &["run", "--quiet"]);
        let output = session.output();
        let is_line = |line: &str| line.starts_with(LINE);
        let first = output.wait(
            Stream::Stdout,
            0,
            soft_mock_tests::session::TIMEOUT,
            &is_line,
        );
        let Some((next, _)) = first else {
            panic!("the program of seed {seed} doesn't start:\n{output}");
        };
        // The second: counters go on as they must.
        let second = output.wait(
            Stream::Stdout,
            next,
            soft_mock_tests::session::TIMEOUT,
            &is_line,
        );
        let (_, line) = second.expect("programs go on");
        let parsed = |line: &str| parse_line(line, &program.fragments).expect("a whole line");
        for ((fragment, shown), right) in program
            .fragments
            .iter()
            .zip(parsed(&line))
            .zip(parsed(&right))
        {
            assert_eq!(shown, right, "{} of seed {seed}", fragment.kind.name);
        }
    }
    assert!(missing.is_empty(), "never tried: {missing:?}");
}

#[test]
fn names_are_unique() {
    for (at, kind) in KINDS.iter().enumerate() {
        let others = &KINDS[at + 1..];
        assert!(
            others.iter().all(|other: &Kind| other.name != kind.name),
            "{}",
            kind.name
        );
        for (at, knob) in kind.knobs.iter().enumerate() {
            let others = &kind.knobs[at + 1..];
            assert!(
                others.iter().all(|other| other.name != knob.name),
                "{}.{}",
                kind.name,
                knob.name
            );
            assert!(knob.choices.len() > 1, "{}.{}", kind.name, knob.name);
        }
    }
}
