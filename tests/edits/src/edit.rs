//! Edits: what one step changes, and in which way it is saved. Steps are chosen by chance, from
//! what the sources are.
//!
//! Knows nothing of sessions and of what `hot` says. A step holds all that is needed to repeat it.

use soft_mock_tests::dice::Dice;

use crate::grammar::Nature;
use crate::program::{Place, Program, State};

/// One step of a session.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// One save after the other, with so many milliseconds behind each.
    Saves(Vec<(Vec<Change>, u64)>),
    /// A half of the new texts, a pause, then all of it.
    Half(Vec<Change>, u64),
    /// `hot rollback`.
    Rollback,
}

/// A change of one fragment.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) fragment: usize,
    pub(crate) what: What,
}

/// What changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// This knob is turned to this choice.
    Knob(usize, u8),
    Place(Place),
    Comments(u8),
}

impl Step {
    /// All changes, in their order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        let (saves, half): (&[(Vec<Change>, u64)], &[Change]) = match self {
            Self::Saves(saves) => (saves, &[]),
            Self::Half(changes, _) => (&[], changes),
            Self::Rollback => (&[], &[]),
        };
        saves.iter().flat_map(|(changes, _)| changes).chain(half)
    }

    /// What is special about it.
    pub(crate) fn way(&self) -> Option<&'static str> {
        match self {
            Self::Saves(saves) if saves.len() > 1 => Some("burst"),
            Self::Saves(_) => None,
            Self::Half(..) => Some("half"),
            Self::Rollback => Some("rollback"),
        }
    }

    /// Whether `hot` may answer more than once.
    pub(crate) fn is_several(&self) -> bool {
        matches!(self.way(), Some("burst" | "half"))
    }

    /// The same step in a program of some of the fragments; nothing if it doesn't concern them.
    pub(crate) fn only(&self, kept: &[usize]) -> Option<Self> {
        let filter = |changes: &Vec<Change>| -> Vec<Change> {
            let moved = changes.iter().filter_map(|change| {
                let fragment = kept.iter().position(|at| *at == change.fragment)?;
                Some(Change {
                    fragment,
                    what: change.what,
                })
            });
            moved.collect()
        };
        let step = match self {
            Self::Saves(saves) => Self::Saves(
                saves
                    .iter()
                    .map(|(changes, pause)| (filter(changes), *pause))
                    .filter(|(changes, _)| !changes.is_empty())
                    .collect(),
            ),
            Self::Half(changes, pause) => Self::Half(filter(changes), *pause),
            Self::Rollback => return Some(Self::Rollback),
        };
        (step.changes().count() > 0).then_some(step)
    }
}

/// Makes the changes.
pub(crate) fn apply(state: &mut State, changes: &[Change]) {
    for change in changes {
        let standing = &mut state[change.fragment];
        match change.what {
            What::Knob(knob, choice) => standing.knobs[knob] = choice,
            What::Place(place) => standing.place = place,
            What::Comments(count) => standing.comments = count,
        }
    }
}

/// The changes that lead from one state to another.
pub(crate) fn between(from: &State, to: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    for (fragment, (from, to)) in from.iter().zip(to).enumerate() {
        let mut add = |what| changes.push(Change { fragment, what });
        for (knob, (from, to)) in from.knobs.iter().zip(&to.knobs).enumerate() {
            if from != to {
                add(What::Knob(knob, *to));
            }
        }
        if from.place != to.place {
            add(What::Place(to.place));
        }
        if from.comments != to.comments {
            add(What::Comments(to.comments));
        }
    }
    changes
}

/// What the choice of a step depends on.
pub(crate) struct Situation<'a> {
    pub(crate) program: &'a Program,
    pub(crate) source: &'a State,
    /// The state that the last step left behind, for undo.
    pub(crate) earlier: Option<&'a State>,
    /// What the program runs, if that isn't the source: what was refused is mostly undone.
    pub(crate) running: Option<&'a State>,
    /// Whether the last step was patched, and so can be rolled back.
    pub(crate) can_roll_back: bool,
    /// Whether an edit may be made, by kind and knob; or a way to edit, of the kind `way`.
    pub(crate) may_turn: &'a dyn Fn(&str, &str) -> bool,
}

/// The next step.
pub(crate) fn choose(dice: &mut Dice, at: &Situation<'_>) -> Step {
    let may = |way| (at.may_turn)("way", way);
    if let Some(running) = at.running {
        if dice.u8(..10) < 6 || !may("standing") {
            return Step::Saves(vec![(between(at.source, running), 0)]);
        }
    }
    match dice.u8(..100) {
        60..72 => Step::Saves(vec![(turn(dice, at, 2), 0)]),
        72..82 => match at.earlier.map(|earlier| between(at.source, earlier)) {
            Some(changes) if !changes.is_empty() => Step::Saves(vec![(changes, 0)]),
            _ => Step::Saves(vec![(turn(dice, at, 3), 0)]),
        },
        82..88 if may("burst") => burst(dice, at),
        88..91 if may("half") => {
            let changes = turn(dice, at, 1);
            Step::Half(changes, [5, 60, 400][dice.usize(..3)])
        }
        91..94 if at.can_roll_back && may("rollback") => Step::Rollback,
        91..98 if may("place") => {
            let mut changes = turn(dice, at, 1);
            let fragment = changes[0].fragment;
            let place = Place::ALL[dice.usize(..3)];
            changes.push(Change {
                fragment,
                what: What::Place(place),
            });
            Step::Saves(vec![(changes, 0)])
        }
        98.. if may("comments") => {
            let fragment = dice.usize(..at.program.fragments.len());
            let what = What::Comments((at.source[fragment].comments + 1) % 3);
            Step::Saves(vec![(vec![Change { fragment, what }], 0)])
        }
        _ => Step::Saves(vec![(turn(dice, at, 1), 0)]),
    }
}

/// Several saves in a row, of fragments of which nothing depends on how many of them were patched.
fn burst(dice: &mut Dice, at: &Situation<'_>) -> Step {
    let mut state = at.source.clone();
    let mut saves = Vec::new();
    for _ in 0..dice.usize(2..5) {
        let now = Situation {
            source: &state,
            ..*at
        };
        let changes = turn(dice, &now, 1);
        let lives = changes
            .iter()
            .any(|change| at.program.fragments[change.fragment].kind.lives.is_some());
        if lives {
            continue;
        }
        apply(&mut state, &changes);
        saves.push((changes, [0, 5, 30, 120][dice.usize(..4)]));
    }
    match saves.is_empty() {
        true => Step::Saves(vec![(turn(dice, at, 1), 0)]),
        false => Step::Saves(saves),
    }
}

/// So many knobs turned.
fn turn(dice: &mut Dice, at: &Situation<'_>, count: usize) -> Vec<Change> {
    let mut all = Vec::new();
    for (fragment, it) in at.program.fragments.iter().enumerate() {
        for (number, knob) in it.kind.knobs.iter().enumerate() {
            // What is refused is undone and tells little: not too often.
            let rare = knob.nature == Nature::Rude && dice.u8(..3) > 0;
            if (at.may_turn)(it.kind.name, knob.name) && !rare {
                all.push((fragment, number, knob.choices.len() as u8));
            }
        }
    }
    dice.shuffle(&mut all);
    let turned = all
        .into_iter()
        .take(count)
        .map(|(fragment, knob, choices)| {
            let now = at.source[fragment].knobs[knob];
            let choice = (now + dice.u8(1..choices)) % choices;
            Change {
                fragment,
                what: What::Knob(knob, choice),
            }
        });
    let changes: Vec<Change> = turned.collect();
    match changes.is_empty() {
        false => changes,
        true => vec![Change {
            fragment: 0,
            what: What::Comments((at.source[0].comments + 1) % 3),
        }],
    }
}
