//! What an answer of `hot` is worth, and what is known of the program after it.
//!
//! Knows the grammar and what `hot` said, and starts nothing. The rules: what is said to be patched
//! runs, in all that is called anew and in all that is alive; what is refused changes nothing, and
//! for a reason that concerns something that waits to be patched; what still waits beside a patch
//! is named; nothing is passed over in silence; and values that are alive stay what they are.

use std::fmt;

use crate::edit::{apply, Step, What};
use crate::grammar::{Nature, Part};
use crate::may_run::turned;
use crate::model::Model;
use crate::program::{parse_line, Standing, State};
use crate::said::Said;
use crate::session::Answer;
use crate::words::{general, Place, Word};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FaultKind {
    /// The program doesn't build or start under `hot`, or begins with other values.
    Start,
    /// The program or `hot` ended.
    Crash,
    /// The program prints nothing any more.
    Stuck,
    /// Nothing was said.
    Silent,
    /// Said to be patched, and isn't.
    False,
    /// Values that are alive became others, or something changed that was refused.
    Corrupt,
    /// Refused for a reason that doesn't hold.
    Reason,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The fragments that show it, or that were edited.
    pub(crate) fragments: Vec<usize>,
    pub(crate) text: String,
}

/// What a step came to, if it is right.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// New code runs, or nothing had to be done.
    pub(crate) patched: bool,
    /// An edit of code wasn't answered; it changes nothing that shows.
    pub(crate) unanswered: bool,
    /// Reasons of refusals, and whether the edit could have been patched by the grammar's measure.
    pub(crate) refused: Vec<(String, bool)>,
}

impl Model<'_> {
    /// What an answer to a step is worth. What is right becomes what is known.
    pub(crate) fn judge(&mut self, step: &Step, answer: &Answer) -> Result<Outcome, Fault> {
        let mut model = self.clone();
        let mut touched = model.touch(step);
        if step.is_several() && model.source == self.source {
            // Saves in a row that come to what was answered before.
            touched.clear();
        }
        let mut answer = answer.clone();
        let half = answer
            .words
            .iter()
            .position(|word| *word == Word::NoCompile);
        if let (Step::Half(..), Some(half)) = (step, half) {
            // It is true of the half, and said once.
            answer.words[half] = Word::Syntax;
        }
        let outcome = model.weigh(step, &touched, &answer)?;
        *self = model;
        Ok(outcome)
    }

    /// Takes over what a step makes of the sources, and says which fragments it concerns.
    fn touch(&mut self, step: &Step) -> Vec<usize> {
        let mut touched: Vec<usize> = step.changes().map(|change| change.fragment).collect();
        for change in step.changes() {
            apply(&mut self.source, std::slice::from_ref(change));
        }
        touched.sort_unstable();
        touched.dedup();
        // What was taken back counts again when its own file is saved.
        for &at in &touched {
            let may_wait = self.program.fragments[at].stands_in_several_files();
            self.rolled_back[at] &= may_wait && self.source[at].knobs != self.running[at].knobs;
        }
        touched
    }

    fn weigh(&mut self, step: &Step, touched: &[usize], answer: &Answer) -> Result<Outcome, Fault> {
        let said = answer.said.join("\n");
        let fault = |kind, fragments: &[usize], text: String| {
            Err(Fault {
                kind,
                fragments: fragments.to_vec(),
                text: format!("{text}\n{said}"),
            })
        };
        if answer.ended {
            return fault(FaultKind::Crash, touched, "the program ended".to_owned());
        }
        let Some(line) = &answer.line else {
            return fault(
                FaultKind::Stuck,
                touched,
                "the program prints nothing any more".to_owned(),
            );
        };
        let Some(shown) = parse_line(line, &self.program.fragments) else {
            return fault(
                FaultKind::Corrupt,
                touched,
                format!("the program prints {line:?}"),
            );
        };
        let said = Said::of(answer);
        let Said { done, refused, .. } = said;
        let silent = !done && !refused && !answer.has(&Word::NotRolledBack);
        let rude = |at: &&usize| {
            done && !refused && self.turns_rude(step, **at) && !self.is_told(&said.waits, **at)
        };
        if let Some(fragment) = touched.iter().find(rude) {
            let why = format!("{} is patched, and can't be", self.describe(*fragment));
            return fault(FaultKind::False, &[*fragment], why);
        }
        let target = match step {
            Step::Rollback if answer.has(&Word::RolledBack) => self.history.last().cloned(),
            Step::Rollback => Some(self.running.clone()),
            Step::Saves(_) | Step::Half(..) => None,
        };
        let was = self.running.clone();
        let mut wrong = Vec::new();
        for fragment in 0..shown.len() {
            let may = match &target {
                Some(target) => vec![target[fragment].clone()],
                None => self.may_run(fragment, step, &said),
            };
            let keeps = answer.has(&Word::Keeps) && done;
            // Of what one knob turns, nothing that shows says whether it runs, and a reason that
            // would say so may be among those that aren't told, or name a line beside it.
            let may_wait = said.is_cut || self.is_told(&said.named, fragment);
            self.is_lost |= may_wait && self.shows_several(fragment, &may, keeps, &shown[fragment]);
            if let Err(text) = self.settle(fragment, &may, keeps, done, &shown[fragment]) {
                wrong.push((fragment, text));
            }
        }
        if !wrong.is_empty() {
            let stale = |(at, _): &(usize, _)| self.is_stale(*at, step, &was[*at], &shown[*at]);
            let is_said = said.is_cut || wrong.iter().all(|(at, _)| self.is_told(&said.waits, *at));
            if is_said && wrong.iter().all(stale) {
                // Of what one knob turns, a part runs and another one waits.
                self.is_lost = true;
                return Ok(Outcome::default());
            }
            let kind = match done && wrong.iter().all(stale) {
                true => FaultKind::False,
                false => FaultKind::Corrupt,
            };
            let fragments: Vec<usize> = wrong.iter().map(|(at, _)| *at).collect();
            let texts: Vec<String> = wrong.into_iter().map(|(_, text)| text).collect();
            return fault(kind, &fragments, texts.join("\n"));
        }
        if silent && self.owes_word(step, touched, &was) {
            return fault(
                FaultKind::Silent,
                &self.concerned(touched),
                "nothing was said".to_owned(),
            );
        }
        let turned = |at: &usize| self.source[*at].knobs != was[*at].knobs;
        let unanswered = silent && touched.iter().any(turned);
        if silent {
            for at in touched {
                self.running[*at].clone_from(&self.source[*at]);
            }
        }
        let outcome = match refused {
            true => self
                .weigh_refusal(touched, answer)
                .or_else(|why| fault(FaultKind::Reason, &self.concerned(touched), why))?,
            false => Outcome {
                patched: done,
                unanswered,
                refused: Vec::new(),
            },
        };
        if done && !refused && target.is_none() {
            if let Err((kind, why)) = self.weigh_what_waits(step, &said) {
                return fault(kind, &self.concerned(touched), why);
            }
        }
        self.remember(step, answer, &was);
        Ok(outcome)
    }

    /// Whether just that is named beside a patch which still waits.
    fn weigh_what_waits(&self, step: &Step, said: &Said<'_>) -> Result<(), (FaultKind, String)> {
        let waits =
            |at: usize| self.source[at].knobs != self.running[at].knobs && !self.rolled_back[at];
        if said.waits.is_empty() {
            return match (0..self.source.len()).find(|at| waits(*at)) {
                None => Ok(()),
                Some(at) => {
                    let why = format!("{} still waits, and that isn't said", self.describe(at));
                    Err((FaultKind::Silent, why))
                }
            };
        }
        // Of several saves, one that came later may have taken it back.
        let is_strict = self.is_strict && !step.is_several();
        if is_strict && !said.waits.iter().all(|place| self.names_what_waits(place)) {
            let why = "still refused for something that isn't edited".to_owned();
            return Err((FaultKind::Reason, why));
        }
        Ok(())
    }

    /// The fragments to which a place belongs, as they run and as they stand in the files.
    fn owners(&self, place: &Place) -> Vec<usize> {
        let states = [&self.running, &self.source].into_iter();
        let owner = |state| self.program.render(state).owner(&place.file, place.line);
        states.filter_map(owner).collect()
    }

    /// Whether one of these places belongs to a fragment.
    pub(crate) fn is_told(&self, places: &[&Place], fragment: usize) -> bool {
        let mut places = places.iter();
        places.any(|place| self.owners(place).contains(&fragment))
    }

    /// Whether a line would be another one if a knob stood as it runs.
    pub(crate) fn differs_at(&self, place: &Place, fragment: usize, knob: usize) -> bool {
        let mut other = self.source.clone();
        other[fragment].knobs[knob] = self.running[fragment].knobs[knob];
        let [line, other] = [&self.source, &other].map(|state| {
            let rendered = self.program.render(state);
            let text = rendered.files.get(&place.file)?;
            text.lines()
                .nth(place.line.checked_sub(1)?)
                .map(str::to_owned)
        });
        line != other
    }

    /// Whether something waits to be patched at this place.
    fn names_what_waits(&self, place: &Place) -> bool {
        let waits = |at: usize| self.source[at] != self.running[at];
        let mut standings = self.source.iter().zip(&self.running);
        let moved = standings.any(|(new, old)| new.place != old.place);
        let root = place.file.ends_with("/main.rs") || place.file.ends_with("/lib.rs");
        (moved && root) || self.owners(place).into_iter().any(waits)
    }

    /// Whether a step turns a knob that can't be patched.
    fn turns_rude(&self, step: &Step, fragment: usize) -> bool {
        let knobs = self.program.fragments[fragment].kind.knobs;
        step.changes().any(|change| match change.what {
            What::Knob(at, _) if change.fragment == fragment => {
                let differs = self.source[fragment].knobs[at] != self.running[fragment].knobs[at];
                differs && knobs[at].nature == Nature::Rude
            }
            What::Knob(..) | What::Place(_) | What::Comments(_) => false,
        })
    }

    /// Finds out which of the standings a fragment shows. That is then what runs.
    fn settle(
        &mut self,
        at: usize,
        may: &[Standing],
        keeps: bool,
        done: bool,
        shown: &[String],
    ) -> Result<(), String> {
        let mut wrong = String::new();
        for standing in may {
            let changes = *standing != self.running[at];
            let mut model = self.clone();
            if changes {
                model.before[at] = std::mem::replace(&mut model.running[at], standing.clone());
            }
            if changes && done {
                model.lives[at] = model.lived(at, standing);
            }
            model.lives[at].keeps |= keeps;
            let parts = model.parts(at, standing, model.lives[at]);
            match differs(&parts, shown) {
                None => {
                    *self = model;
                    return Ok(());
                }
                Some(text) if wrong.is_empty() => wrong = format!("{}: {text}", self.describe(at)),
                Some(_) => {}
            }
        }
        Err(wrong)
    }

    /// Whether what a fragment shows may be more than one of the standings.
    fn shows_several(&self, at: usize, may: &[Standing], keeps: bool, shown: &[String]) -> bool {
        let fits = |standing: &&Standing| {
            let alone = std::slice::from_ref(*standing);
            self.clone().settle(at, alone, keeps, true, shown).is_ok()
        };
        may.iter().filter(fits).count() > 1
    }

    /// Whether each part shows what it may with some of the edits, those that a later save of the
    /// step took back among them.
    fn is_stale(&self, at: usize, step: &Step, was: &Standing, shown: &[String]) -> bool {
        let new = &self.source[at];
        let mut all = vec![was.clone(), new.clone()];
        let knobs = 0..new.knobs.len();
        for knob in knobs.filter(|knob| was.knobs[*knob] != new.knobs[*knob]) {
            all.extend(turned(&all, knob, new.knobs[knob]));
        }
        for change in step.changes().filter(|change| change.fragment == at) {
            if let What::Knob(knob, choice) = change.what {
                all.extend(turned(&all, knob, choice));
            }
        }
        let values = |standing| self.parts(at, standing, self.lives[at]);
        let all: Vec<_> = all.iter().map(values).collect();
        let fits = |part: usize| {
            let mut values = all.iter().filter_map(|parts| parts.get(part));
            values.any(|value| value.value == shown[part])
        };
        all.iter().all(|parts| parts.len() == shown.len()) && (0..shown.len()).all(fits)
    }

    /// What was edited, and what waits from earlier.
    fn concerned(&self, touched: &[usize]) -> Vec<usize> {
        let waits = |at: &usize| self.source[*at] != self.running[*at];
        (0..self.source.len())
            .filter(|at| touched.contains(at) || waits(at))
            .collect()
    }

    /// Whether a step that wasn't answered should have changed what the program prints.
    fn owes_word(&self, step: &Step, touched: &[usize], was: &State) -> bool {
        let values = |at: usize, standing| {
            let parts = self.parts(at, standing, self.lived(at, standing));
            parts.into_iter().map(|part| part.value).collect::<Vec<_>>()
        };
        let shows = |at: &usize| values(*at, &self.source[*at]) != values(*at, &was[*at]);
        matches!(step, Step::Rollback) || touched.iter().any(shows)
    }

    /// A refusal has to name a place of something that waits to be patched.
    fn weigh_refusal(&self, touched: &[usize], answer: &Answer) -> Result<Outcome, String> {
        if answer.has(&Word::NoCompile) {
            return Err("said not to compile, and does".to_owned());
        }
        let waits = |at: &usize| self.source[*at] != self.running[*at];
        let places = Said::of(answer).named;
        let holds = |place: &&Place| self.names_what_waits(place);
        if places.is_empty() {
            return Err("refused without a place".to_owned());
        }
        if self.is_strict && !places.iter().any(holds) {
            return Err("refused for something that wasn't edited".to_owned());
        }
        let mut waiting = touched.iter().filter(|at| waits(at));
        let avoidable = waiting.all(|at| self.nature(*at) == Nature::Code);
        let reasons = places
            .into_iter()
            .filter(|place| !self.is_strict || holds(place))
            .take(1);
        Ok(Outcome {
            patched: false,
            unanswered: false,
            refused: reasons
                .map(|place| {
                    let of: Vec<String> = touched.iter().map(|at| self.describe(*at)).collect();
                    (
                        format!("{} [{}]", general(&place.why), of.join(" + ")),
                        avoidable,
                    )
                })
                .collect(),
        })
    }

    fn remember(&mut self, step: &Step, answer: &Answer, was: &State) {
        match step {
            Step::Rollback if answer.has(&Word::RolledBack) => {
                self.history.pop();
                let states = self.source.iter().zip(&self.running);
                self.rolled_back = states.map(|(source, runs)| source != runs).collect();
            }
            // More than one patch may have come of it, or what came before is still in the way.
            _ if step.is_several() || !self.is_level() => self.history.clear(),
            _ if answer.has(&Word::Done) => self.history.push(was.clone()),
            _ => {}
        }
    }
}

/// The first part that isn't as it should be.
fn differs(parts: &[Part], shown: &[String]) -> Option<String> {
    if parts.len() != shown.len() {
        return Some(format!("{} parts, not {}", shown.len(), parts.len()));
    }
    let wrong = parts
        .iter()
        .zip(shown)
        .enumerate()
        .find(|(_, (part, shown))| part.value != **shown && !part.if_said.contains(shown));
    wrong.map(|(at, (part, shown))| {
        let what = if part.kept {
            "a kept value"
        } else {
            "a new call"
        };
        format!("part {at}, {what}: {shown:?}, not {:?}", part.value)
    })
}
