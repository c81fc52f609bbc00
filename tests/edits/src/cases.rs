//! Writes a fault down: a folder with the whole project at each step, `0`, `1`, `2` …, and for each
//! edit what the program prints if all of it is patched that can be, as a regular expression:
//! `1.want`. `WHAT` says what is wrong.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::edit::{apply, Change, Step};
use crate::minimise::Found;
use crate::model::Model;
use crate::program::{Program, State};

/// Writes it and says where.
pub(crate) fn write(folder: &Path, seed: u64, found: &Found) -> PathBuf {
    let _ = fs::remove_dir_all(folder);
    let mut state = found.first.clone();
    let mut model = Model::new(&found.program, state.clone());
    let mut number = 0;
    write_state(folder, number, &found.program, &state);
    let mut ways = String::new();
    for step in &found.steps {
        let saves: Vec<(Vec<Change>, u64)> = match step {
            Step::Saves(saves) => saves.clone(),
            Step::Half(changes, pause) => {
                let _ = writeln!(
                    ways,
                    "Step {}: a half was saved {pause} ms before.",
                    number + 1
                );
                vec![(changes.clone(), 0)]
            }
            Step::Rollback => {
                let _ = writeln!(ways, "After step {number}: hot rollback.");
                Vec::new()
            }
        };
        if saves.len() > 1 {
            let _ = writeln!(
                ways,
                "Steps {} to {} were saved in a row.",
                number + 1,
                number + saves.len()
            );
        }
        for (changes, _) in saves {
            apply(&mut state, &changes);
            number += 1;
            write_state(folder, number, &found.program, &state);
            model.assume(&changes);
            let want = format!("^{}$\n", escaped(&model.line()));
            fs::write(folder.join(format!("{number}.want")), want).expect("a file of a fault");
        }
    }
    let again = if found.again {
        ""
    } else {
        "It did not come again when the steps were repeated.\n"
    };
    let release = if found.program.release {
        "With --release.\n"
    } else {
        ""
    };
    let what = format!(
        "{}: {}\n{ways}{release}{again}Found with --seed {seed}.\n",
        found.fault.kind, found.fault.text
    );
    fs::write(folder.join("WHAT"), what).expect("the folder of a fault");
    folder.to_owned()
}

/// A regular expression for this text.
fn escaped(text: &str) -> String {
    let special = |char: char| "\\.+*?()|[]{}^$".contains(char);
    text.chars()
        .flat_map(|char| special(char).then_some('\\').into_iter().chain([char]))
        .collect()
}

fn write_state(folder: &Path, number: usize, program: &Program, state: &State) {
    for (file, text) in program.render(state).files {
        let path = folder.join(number.to_string()).join(file);
        let parent = path.parent().expect("a file is in a folder");
        fs::create_dir_all(parent).expect("a folder of a fault");
        fs::write(path, text).expect("a file of a fault");
    }
}
