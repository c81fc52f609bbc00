//! Makes a fault smaller: fewer steps, fewer fragments. Each try is a session of its own, so there
//! are few.

use crate::edit::{Change, Step};
use crate::program::{Program, State};
use crate::run::{Player, Trial};
use crate::verdict::Fault;

/// A fault and what leads to it.
pub(crate) struct Found {
    pub(crate) program: Program,
    pub(crate) first: State,
    pub(crate) steps: Vec<Step>,
    pub(crate) fault: Fault,
    /// Whether it came again.
    pub(crate) again: bool,
}

/// As small as so many tries make it.
pub(crate) fn minimise(
    trial: &Trial<'_>,
    program: &Program,
    first: &State,
    steps: &[Step],
    fault: &Fault,
    tries: usize,
) -> Found {
    let mut best = Found {
        program: program.clone(),
        first: first.clone(),
        steps: steps.to_vec(),
        fault: fault.clone(),
        again: false,
    };
    let mut left = tries;
    let mut both = [
        fault.fragments.clone(),
        steps.last().map(touched).unwrap_or_default(),
    ]
    .concat();
    both.sort_unstable();
    both.dedup();
    let all: Vec<usize> = (0..program.fragments.len()).collect();
    let mut sets = vec![fault.fragments.clone(), both, all];
    sets.dedup();
    sets.retain(|kept| !kept.is_empty());
    // Most faults need nothing but the last step.
    for last in [true, false] {
        for kept in &sets {
            let concerned: Vec<Step> = steps.iter().filter_map(|step| step.only(kept)).collect();
            let folded = if last {
                concerned.len().saturating_sub(1)
            } else {
                0
            };
            if !best.again && (last || concerned.len() > 1) {
                try_it(trial, &mut best, kept, &concerned, folded, &mut left);
            }
        }
    }
    while best.again
        && (later(trial, &mut best, &mut left) || fewer_steps(trial, &mut best, &mut left))
    {}
    while best.again && fewer_fragments(trial, &mut best, &mut left) {}
    best
}

/// Whether the fault shows with these fragments, and with so many of the first steps folded into
/// the first state.
fn try_it(
    trial: &Trial<'_>,
    best: &mut Found,
    kept: &[usize],
    steps: &[Step],
    folded: usize,
    left: &mut usize,
) -> bool {
    let program = best.program.only(kept);
    let mut first: State = kept.iter().map(|at| best.first[*at].clone()).collect();
    for step in &steps[..folded] {
        let changes: Vec<Change> = step.changes().cloned().collect();
        crate::edit::apply(&mut first, &changes);
    }
    replace_if_it_shows(trial, best, program, first, steps[folded..].to_vec(), left)
}

/// Begins in the middle of the steps.
fn later(trial: &Trial<'_>, best: &mut Found, left: &mut usize) -> bool {
    let folded = best.steps.len() / 2;
    let all: Vec<usize> = (0..best.program.fragments.len()).collect();
    folded > 0 && try_it(trial, best, &all, &best.steps.clone(), folded, left)
}

fn replace_if_it_shows(
    trial: &Trial<'_>,
    best: &mut Found,
    program: Program,
    first: State,
    steps: Vec<Step>,
    left: &mut usize,
) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    let Some((count, fault)) = play(trial, &program, &first, &steps) else {
        return false;
    };
    // Another fault is no smaller form of this one.
    if fault.kind != best.fault.kind {
        return false;
    }
    let steps = steps[..count].to_vec();
    *best = Found {
        program,
        first,
        steps,
        fault,
        again: true,
    };
    true
}

fn fewer_steps(trial: &Trial<'_>, best: &mut Found, left: &mut usize) -> bool {
    for at in (0..best.steps.len().saturating_sub(1)).rev() {
        let mut steps = best.steps.clone();
        steps.remove(at);
        let (program, first) = (best.program.clone(), best.first.clone());
        if replace_if_it_shows(trial, best, program, first, steps, left) {
            return true;
        }
    }
    false
}

fn fewer_fragments(trial: &Trial<'_>, best: &mut Found, left: &mut usize) -> bool {
    let count = best.program.fragments.len();
    let guilty = best.fault.fragments.clone();
    for without in (0..count).filter(|at| count > 1 && !guilty.contains(at)) {
        let kept: Vec<usize> = (0..count).filter(|at| *at != without).collect();
        let steps: Vec<Step> = best
            .steps
            .iter()
            .filter_map(|step| step.only(&kept))
            .collect();
        if try_it(trial, best, &kept, &steps, 0, left) {
            return true;
        }
    }
    false
}

/// Plays steps until one shows a fault, and says how many that were.
fn play(
    trial: &Trial<'_>,
    program: &Program,
    first: &State,
    steps: &[Step],
) -> Option<(usize, Fault)> {
    let mut player = match Player::start(trial, program, first) {
        Ok(player) => player,
        Err(fault) => return Some((0, fault)),
    };
    for (at, step) in steps.iter().enumerate() {
        if matches!(step, Step::Rollback) && !player.model.can_roll_back() {
            continue;
        }
        if let Err(fault) = player.step(step) {
            return Some((at + 1, fault));
        }
    }
    None
}

fn touched(step: &Step) -> Vec<usize> {
    let mut touched: Vec<usize> = step.changes().map(|change| change.fragment).collect();
    touched.sort_unstable();
    touched.dedup();
    touched
}
