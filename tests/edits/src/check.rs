//! Is what the grammar says of its programs what they print, as cargo alone builds them?

use soft_mock_tests::dice;
use soft_mock_tests::output::Stream;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::TIMEOUT;

use crate::grammar::KINDS;
use crate::model::Model;
use crate::program::{parse_line, Program, LINE};

/// Builds and runs a program of all kinds, in crates and editions by chance, and compares. Gives
/// the kinds that it had: not all can be in each edition. Else says what differs.
pub fn check_grammar(seed: u64) -> Result<Vec<&'static str>, String> {
    let mut dice = dice::seeded(seed);
    let program = Program::of(&mut dice, KINDS.iter().collect(), false);
    let state = program.state_by_chance(&mut dice);
    let right = Model::new(&program, state.clone()).line();
    let project = Project::of_files(&program.render(&state).files);
    let session = project.start("cargo", &["run", "--quiet"]);
    let output = session.output();
    let is_line = |line: &str| line.starts_with(LINE);
    // The second line: counters go on as they must.
    let first = output.wait(Stream::Stdout, 0, TIMEOUT, &is_line);
    let second = first.and_then(|(next, _)| output.wait(Stream::Stdout, next, TIMEOUT, &is_line));
    let Some((_, line)) = second else {
        return Err(format!("the program of seed {seed} doesn't run:\n{output}"));
    };
    let parts = |line: &str| parse_line(line, &program.fragments).ok_or_else(|| line.to_owned());
    for ((fragment, shown), right) in program
        .fragments
        .iter()
        .zip(parts(&line)?)
        .zip(parts(&right)?)
    {
        if shown != right {
            return Err(format!(
                "{} of seed {seed}: {shown:?}, not {right:?}",
                fragment.kind.name
            ));
        }
    }
    Ok(program
        .fragments
        .iter()
        .map(|fragment| fragment.kind.name)
        .collect())
}

/// The names of all kinds.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::Kind;

    #[test]
    fn names_are_unique_and_knobs_can_be_turned() {
        for (at, kind) in KINDS.iter().enumerate() {
            let others = &KINDS[at + 1..];
            assert!(
                others.iter().all(|other: &Kind| other.name != kind.name),
                "{}",
                kind.name
            );
            for (at, knob) in kind.knobs.iter().enumerate() {
                let name = format!("{}.{}", kind.name, knob.name);
                let others = &kind.knobs[at + 1..];
                assert!(others.iter().all(|other| other.name != knob.name), "{name}");
                assert!(knob.choices.len() > 1, "{name}");
                let columns = knob.choices[0].len();
                assert!(
                    knob.choices.iter().all(|choice| choice.len() == columns),
                    "{name}"
                );
            }
        }
    }
}
