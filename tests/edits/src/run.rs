//! The loop: programs, their sessions, the steps in each, and what they came to.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use soft_mock_tests::dice;
use soft_mock_tests::project::Save;

use crate::cases;
use crate::edit::{apply, choose, Change, Situation, Step, What};
use crate::grammar::Kind;
use crate::minimise::{minimise, Found};
use crate::model::Model;
use crate::program::{Program, State};
use crate::session::{Answer, Expectation, Running};
use crate::verdict::{Fault, FaultKind, Outcome};

/// What is to be done.
pub struct Options {
    /// The command that is tried.
    pub hot: PathBuf,
    /// How many edits.
    pub steps: usize,
    /// How many programs, at most.
    pub sessions: usize,
    /// What chance begins with: the first program. The next one has the next number.
    pub seed: u64,
    /// Optimised programs.
    pub release: bool,
    /// Only kinds of code whose name contains one of these; all, if there is none.
    pub only: Vec<String>,
    /// What isn't tried: kinds, edits of them as `kind.knob`, and ways to edit as `way.burst` (see
    /// [`WAYS`]).
    pub skip: Vec<String>,
    /// Where faults are written to.
    pub faults: PathBuf,
    /// Sessions that may be spent on making one fault smaller.
    pub tries: usize,
    /// Each step is told.
    pub verbose: bool,
}

/// Ways to edit: several saves in a row, a half and then the whole, `hot rollback`, a module that
/// moves to another file, comments alone, and editing on while something that was refused stands in
/// the files. `blame` isn't an edit: without it, a refusal may name a place that wasn't edited.
pub const WAYS: [&str; 7] = [
    "burst", "half", "rollback", "place", "comments", "standing", "blame",
];

/// Steps in one session, at most.
const SESSION: usize = 40;

/// What a run came to.
#[derive(Default)]
pub struct Summary {
    /// Programs that were started.
    pub sessions: usize,
    /// Edits.
    pub steps: usize,
    /// Edits of which new code runs.
    pub patched: usize,
    /// Edits that were refused as they had to be, or may be.
    pub refused: usize,
    /// Edits of code that weren't answered, and change nothing that shows.
    pub unanswered: usize,
    /// Edits that were refused, though they can be patched by the grammar's measure; by reason.
    pub avoidable: BTreeMap<String, usize>,
    /// What was wrong: its kind, where, and the folder that repeats it.
    pub faults: Vec<(String, String, PathBuf)>,
    /// The time that the steps themselves took.
    pub waited: Duration,
}

impl Options {
    fn likes(&self, kind: &Kind) -> bool {
        let asked = self.only.is_empty()
            || self
                .only
                .iter()
                .any(|only| kind.name.contains(only.as_str()));
        asked && !self.skip.iter().any(|skip| skip == kind.name)
    }

    fn trial(&self) -> Trial<'_> {
        Trial {
            hot: &self.hot,
            is_strict: self.may_turn("way", "blame"),
        }
    }

    fn may_turn(&self, kind: &str, knob: &str) -> bool {
        let of = |skip: &String| skip.split_once('.') == Some((kind, knob));
        !self.skip.iter().any(of)
    }
}

/// All of it.
pub fn run(options: &Options) -> Summary {
    let mut summary = Summary::default();
    let mut seed = options.seed;
    while summary.steps < options.steps && summary.sessions < options.sessions {
        session(options, seed, &mut summary);
        seed += 1;
    }
    summary
}

/// One program, from its start to the end of its steps or to a fault.
fn session(options: &Options, seed: u64, summary: &mut Summary) {
    let mut dice = dice::seeded(seed);
    let size = dice.usize(3..9);
    let program = Program::by_chance(&mut dice, size, options.release, &|kind| {
        options.likes(kind)
    });
    let first = program.state_by_chance(&mut dice);
    if program.fragments.is_empty() {
        return;
    }
    summary.sessions += 1;
    let mut player = match Player::start(&options.trial(), &program, &first) {
        Ok(player) => player,
        Err(fault) => {
            summary.steps += 1;
            return report(options, summary, seed, &program, &first, &[], &fault);
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    let mut earlier: Option<State> = None;
    let may_turn = |kind: &str, knob: &str| options.may_turn(kind, knob);
    while steps.len() < SESSION && summary.steps < options.steps {
        let source = player.model.source.clone();
        let step = choose(
            &mut dice,
            &Situation {
                program: &program,
                source: &source,
                earlier: earlier.as_ref(),
                running: (!player.model.is_level()).then_some(&player.model.running),
                can_roll_back: player.model.can_roll_back(),
                may_turn: &may_turn,
            },
        );
        steps.push(step.clone());
        summary.steps += 1;
        let start = Instant::now();
        let result = player.step(&step);
        summary.waited += start.elapsed();
        if options.verbose {
            tell(seed, &step, start.elapsed(), &result, &player.said);
        }
        match result {
            Ok(outcome) => {
                summary.patched += usize::from(outcome.patched);
                summary.unanswered += usize::from(outcome.unanswered);
                summary.refused += usize::from(!outcome.refused.is_empty());
                for (why, avoidable) in outcome.refused {
                    if avoidable {
                        *summary.avoidable.entry(why).or_default() += 1;
                    }
                }
            }
            Err(fault) => {
                drop(player);
                return report(options, summary, seed, &program, &first, &steps, &fault);
            }
        }
        if player.model.is_lost {
            return;
        }
        earlier = Some(source);
    }
}

fn tell(seed: u64, step: &Step, took: Duration, result: &Result<Outcome, Fault>, said: &[String]) {
    let what = match result {
        Ok(outcome) if outcome.patched => "patched".to_owned(),
        Ok(outcome) if !outcome.refused.is_empty() => format!("refused {:?}", outcome.refused),
        Ok(_) => "nothing".to_owned(),
        Err(fault) => format!("{}: {}", fault.kind, fault.text),
    };
    eprintln!(
        "seed {seed} {:.2} s {step:?}\n    {what}",
        took.as_secs_f64()
    );
    for line in said {
        eprintln!("    > {line}");
    }
}

/// Makes a fault smaller and writes it down.
fn report(
    options: &Options,
    summary: &mut Summary,
    seed: u64,
    program: &Program,
    first: &State,
    steps: &[Step],
    fault: &Fault,
) {
    let found = minimise(
        &options.trial(),
        program,
        first,
        steps,
        fault,
        options.tries,
    );
    let what = format!("{} in {}", found.fault.kind, concerned(&found));
    let name = format!("{}-{seed}", what.to_lowercase());
    let name = name.replace(|char: char| !char.is_alphanumeric(), "-");
    let folder = cases::write(&options.faults.join(name), seed, &found);
    eprintln!("seed {seed}: {what}: {}", folder.display());
    let kind = found.fault.kind.to_string();
    summary.faults.push((kind, concerned(&found), folder));
}

/// What shows a fault, with what the last step changed of it: `display.generic + plain`.
fn concerned(found: &Found) -> String {
    let name = |at: usize| found.program.fragments[at].kind;
    let last = found.steps.last().into_iter().flat_map(Step::changes);
    let mut parts: Vec<String> = last
        .map(|change| match change.what {
            What::Knob(knob, _) => {
                let kind = name(change.fragment);
                format!("{}.{}", kind.name, kind.knobs[knob].name)
            }
            What::Place(_) => format!("{}.place", name(change.fragment).name),
            What::Comments(_) => format!("{}.comments", name(change.fragment).name),
        })
        .collect();
    let edited = |at: usize| {
        parts
            .iter()
            .any(|part| part.split('.').next() == Some(name(at).name))
    };
    let others: Vec<&str> = found
        .fault
        .fragments
        .iter()
        .filter(|at| !edited(**at))
        .map(|at| name(*at).name)
        .collect();
    parts.extend(others.into_iter().map(str::to_owned));
    parts.extend(found.steps.last().and_then(Step::way).map(str::to_owned));
    parts.dedup();
    parts.join(" + ")
}

/// What is tried, and how strictly.
pub(crate) struct Trial<'a> {
    hot: &'a Path,
    /// Whether a refusal has to name what was edited.
    is_strict: bool,
}

/// A program in a session, with what is known of it.
pub(crate) struct Player<'p> {
    program: &'p Program,
    pub(crate) model: Model<'p>,
    running: Running,
    /// What came back after the last step.
    pub(crate) said: Vec<String>,
}

impl<'p> Player<'p> {
    pub(crate) fn start(
        trial: &Trial<'_>,
        program: &'p Program,
        first: &State,
    ) -> Result<Self, Fault> {
        let fault = |text| Fault {
            kind: FaultKind::Start,
            fragments: Vec::new(),
            text,
        };
        let mut model = Model::new(program, first.clone());
        model.is_strict = trial.is_strict;
        let files = program.render(first).files;
        let running = Running::start(trial.hot, &files, program.release).map_err(fault)?;
        let (line, right) = (running.line(), model.line());
        if line.as_deref() != Some(&right) {
            return Err(fault(format!(
                "the program begins with\n{line:?}, not\n{right:?}\n{}",
                running.log()
            )));
        }
        Ok(Self {
            program,
            model,
            running,
            said: Vec::new(),
        })
    }

    /// Makes an edit and looks what comes of it.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Outcome, Fault> {
        self.running.listen();
        match step {
            Step::Saves(saves) => {
                let mut state = self.model.source.clone();
                for (changes, pause) in saves {
                    self.save(&mut state, changes, Save::InPlace);
                    sleep(Duration::from_millis(*pause));
                }
            }
            Step::Half(changes, pause) => {
                self.save_by_halves(changes, Duration::from_millis(*pause))
            }
            Step::Rollback => self.running.roll_back(),
        }
        let model = &self.model;
        let is_right = |answer: &Answer| model.clone().judge(step, answer).is_ok();
        let answer = self.running.answer(&Expectation {
            is_right: &is_right,
            several: step.is_several(),
            word: self.model.needs_word(step),
        });
        self.said.clone_from(&answer.said);
        self.said.extend(answer.line.clone());
        self.model.judge(step, &answer)
    }

    fn save(&mut self, state: &mut State, changes: &[Change], by: Save) {
        let from = self.program.render(state).files;
        apply(state, changes);
        let to = self.program.render(state).files;
        self.running.save(&from, &to, by);
    }

    /// Each file that changes is broken off first.
    fn save_by_halves(&mut self, changes: &[Change], pause: Duration) {
        let mut state = self.model.source.clone();
        let from = self.program.render(&state).files;
        apply(&mut state, changes);
        let to = self.program.render(&state).files;
        let mut half = to.clone();
        for (file, text) in &mut half {
            if from.get(file) != Some(text) && file.ends_with(".rs") {
                let mut end = text.len() / 2;
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                text.truncate(end);
                text.push_str("\nfn half( {");
            }
        }
        self.running.save(&from, &half, Save::InPlace);
        sleep(pause);
        self.running.save(&half, &to, Save::InPlace);
    }
}

impl Summary {
    /// Faults by kind.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for (kind, ..) in &self.faults {
            *kinds.entry(kind.clone()).or_default() += 1;
        }
        kinds
    }

    /// All of it, for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} steps in {} sessions, {:.2} s each: {} patched, {} refused, {} unanswered, {} faults\n",
            self.steps,
            self.sessions,
            self.waited.as_secs_f64() / self.steps.max(1) as f64,
            self.patched,
            self.refused,
            self.unanswered,
            self.faults.len()
        );
        for (kind, count) in self.by_kind() {
            let _ = writeln!(text, "{count:5} {kind}");
        }
        for (kind, of, folder) in &self.faults {
            let _ = writeln!(text, "      {kind} in {of}: {}", folder.display());
        }
        if !self.avoidable.is_empty() {
            text.push_str("refused, and could be patched:\n");
        }
        let mut avoidable: Vec<_> = self.avoidable.iter().collect();
        avoidable.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (why, count) in avoidable {
            let _ = writeln!(text, "{count:5} {why}");
        }
        text
    }
}
