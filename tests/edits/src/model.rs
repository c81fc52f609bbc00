//! What is known of a living program: what stands in its files, what it runs, and what its values
//! were made from.
//!
//! Knows the grammar, and nothing of what `hot` said.

use crate::edit::{apply, Change, Step};
use crate::grammar::{Nature, Part, Seen, NOTES};
use crate::program::{Program, Standing, State, LINE};

/// What is known of the living program.
#[derive(Clone)]
pub(crate) struct Model<'p> {
    pub(crate) program: &'p Program,
    /// What stands in the files.
    pub(crate) source: State,
    /// What the program runs, as far as it was said.
    pub(crate) running: State,
    /// What it ran before that.
    pub(crate) before: State,
    pub(crate) born: State,
    pub(crate) lives: Vec<Lives>,
    /// What `hot rollback` leads back to.
    pub(crate) history: Vec<State>,
    /// Whether the edits of a fragment were rolled back: they count again when its file changes.
    pub(crate) rolled_back: Vec<bool>,
    /// Whether a refusal has to name what was edited.
    pub(crate) is_strict: bool,
    /// What runs can't be told any more: the session is over.
    pub(crate) is_lost: bool,
}

/// What is known of a fragment's values.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lives {
    notes: [u8; NOTES],
    /// `hot` said that living code keeps its body.
    pub(crate) keeps: bool,
}

impl<'p> Model<'p> {
    /// Of a program that was just started.
    pub(crate) fn new(program: &'p Program, state: State) -> Self {
        let mut model = Self {
            program,
            source: state.clone(),
            running: state.clone(),
            before: state.clone(),
            born: state.clone(),
            lives: vec![Lives::default(); state.len()],
            history: Vec::new(),
            rolled_back: vec![false; state.len()],
            is_strict: true,
            is_lost: false,
        };
        for (fragment, standing) in state.iter().enumerate() {
            model.lives[fragment] = model.lived(fragment, standing);
        }
        model
    }

    /// Whether the sources are what runs.
    pub(crate) fn is_level(&self) -> bool {
        self.source == self.running
    }

    /// Whether the last step can be rolled back.
    pub(crate) fn can_roll_back(&self) -> bool {
        self.is_level() && !self.history.is_empty()
    }

    /// Whether `hot` owes a word for a step.
    pub(crate) fn needs_word(&self, step: &Step) -> bool {
        if matches!(step, Step::Rollback) {
            return true;
        }
        let mut source = self.source.clone();
        for change in step.changes() {
            apply(&mut source, std::slice::from_ref(change));
        }
        let turned = |(new, old): (&Standing, &Standing)| new.knobs != old.knobs;
        step.changes()
            .any(|change| turned((&source[change.fragment], &self.running[change.fragment])))
    }

    /// Takes over changes as if all were patched that can be.
    pub(crate) fn assume(&mut self, changes: &[Change]) {
        apply(&mut self.source, changes);
        for at in 0..self.source.len() {
            let mut standing = self.source[at].clone();
            let knobs = self.program.fragments[at].kind.knobs.iter().enumerate();
            for (knob, _) in knobs.filter(|(_, knob)| knob.nature == Nature::Rude) {
                standing.knobs[knob] = self.running[at].knobs[knob];
            }
            if standing != self.running[at] {
                self.lives[at] = self.lived(at, &standing);
                self.before[at] = std::mem::replace(&mut self.running[at], standing);
            }
        }
    }

    /// The line that the program prints if it runs what the model says.
    pub(crate) fn line(&self) -> String {
        let mut line = String::from(LINE);
        for (fragment, it) in self.program.fragments.iter().enumerate() {
            let parts = self.parts(fragment, &self.running[fragment], self.lives[fragment]);
            let values: Vec<String> = parts.into_iter().map(|part| part.value).collect();
            line += &format!("|{}={}", it.tag, values.join("/"));
        }
        line
    }

    /// Of what stands in the files of a fragment and doesn't run.
    pub(crate) fn nature(&self, at: usize) -> Nature {
        self.program.nature(at, &self.running[at], &self.source[at])
    }

    /// `plain (body, constant)`
    pub(crate) fn describe(&self, at: usize) -> String {
        let kind = self.program.fragments[at].kind;
        let (old, new) = (&self.running[at], &self.source[at]);
        let knobs = kind.knobs.iter().zip(old.knobs.iter().zip(&new.knobs));
        let mut turned: Vec<&str> = knobs
            .filter(|(_, (old, new))| old != new)
            .map(|(knob, _)| knob.name)
            .collect();
        turned.extend((old.place != new.place).then_some("place"));
        turned.extend((old.comments != new.comments).then_some("comments"));
        format!("{} ({})", kind.name, turned.join(", "))
    }

    /// What is known of its values when new code has run.
    pub(crate) fn lived(&self, at: usize, standing: &Standing) -> Lives {
        let mut lives = self.lives[at];
        if let Some(live) = self.program.fragments[at].kind.lives {
            live(&standing.knobs, &mut lives.notes);
        }
        lives
    }

    /// What a fragment prints.
    pub(crate) fn parts(&self, at: usize, standing: &Standing, lives: Lives) -> Vec<Part> {
        let kind = self.program.fragments[at].kind;
        let mut parts = (kind.expect)(&Seen {
            kind,
            now: &standing.knobs,
            before: &self.before[at].knobs,
            born: &self.born[at].knobs,
            notes: lives.notes,
        });
        if !lives.keeps {
            parts.iter_mut().for_each(|part| part.if_said.clear());
        }
        parts
    }
}
