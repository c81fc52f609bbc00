//! Goes through the functions of a project, several at a time, down to single ones where `hot`
//! refuses.
//!
//! A group is edited in one save; each function gets a number of its own. What `hot` refuses is
//! taken apart until each refused function stands alone: first those whose names the reason holds,
//! then by halves.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;

use super::mark::{self, Body};
use super::session::{Session, Verdict};
use super::{Outcome, Record, Way};
use crate::functions::projects::Project;
use crate::records::Records;

/// Sessions are started anew after so many saves, so that a long run doesn't measure a program full
/// of patches.
const SAVES_OF_A_SESSION: usize = 150;

/// What `hot` says where code that a former edit brought may still be reached.
const OF_A_FORMER_EDIT: &str = "came with an earlier patch";

/// A run over one project.
pub(super) struct Run<'a> {
    pub(super) project: &'a Project,
    pub(super) folder: PathBuf,
    pub(super) records: Records,
    pub(super) session: Session,
    pub(super) saves: usize,
}

/// What became of a group.
struct Tried {
    verdict: Verdict,
    way: Way,
    /// If it is patched: of each function, how its edit was found.
    found: Vec<Option<Outcome>>,
    together: usize,
    milliseconds: u64,
}

impl Run<'_> {
    /// Edits all of them, and writes down what became of each.
    pub(super) fn all(&mut self, bodies: Vec<Body>, together: usize) -> Result<()> {
        let (mut own, mut others): (Vec<Body>, Vec<Body>) = bodies
            .into_iter()
            .partition(|body| self.session.has_site(body));
        let mut groups = Vec::new();
        for list in [&mut others, &mut own] {
            // Those of one file are saved at once.
            list.sort_by(|a, b| a.file.cmp(&b.file));
            while !list.is_empty() {
                let rest = list.split_off(together.min(list.len()));
                groups.push(std::mem::replace(list, rest));
            }
        }
        // The order of chance again, so that a run that is stopped has seen a bit of everything.
        fastrand::Rng::with_seed(2).shuffle(&mut groups);
        while let Some(group) = groups.pop() {
            if self.saves >= SAVES_OF_A_SESSION {
                self.restart()?;
            }
            let left: usize = groups.iter().map(Vec::len).sum();
            eprintln!(
                "{}: {left} behind these {}",
                self.project.package.name,
                group.len()
            );
            groups.extend(self.group(group)?);
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.session = Session::start(self.project, &self.folder)?;
        self.saves = 0;
        Ok(())
    }

    /// Edits a group. Returns the groups that have to be edited again.
    fn group(&mut self, group: Vec<Body>) -> Result<Vec<Vec<Body>>> {
        let mut tried = self.attempt(&group)?;
        match std::mem::replace(&mut tried.verdict, Verdict::Silent) {
            Verdict::Patched => return self.patched(group, tried),
            Verdict::Unused => {
                for body in &group {
                    self.say(body, self.session.unused(body), &tried)?;
                }
            }
            Verdict::Silent => {
                for body in &group {
                    self.say(body, Outcome::Silent, &tried)?;
                }
            }
            Verdict::Crashed(why) => {
                self.say(&group[0], Outcome::Crashed(why), &tried)?;
                self.restart()?;
                return Ok(halves(group.into_iter().skip(1).collect()));
            }
            Verdict::Rude(why) if why.contains(OF_A_FORMER_EDIT) && self.saves > 1 => {
                // As `hot` does by itself where it may. It says nothing of this edit alone.
                eprintln!("once more, in a new program: {why}");
                self.restart()?;
                return Ok(vec![group]);
            }
            Verdict::Rude(why) | Verdict::NoEdit(why) | Verdict::Wrong(why) if group.len() > 1 => {
                eprintln!("not together: {why}");
                return Ok(apart(group, &why));
            }
            Verdict::Rude(why) => self.say(&group[0], Outcome::Rude(why), &tried)?,
            Verdict::NoEdit(why) => self.say(&group[0], Outcome::NoEdit(why), &tried)?,
            Verdict::Wrong(why) => {
                self.say(&group[0], Outcome::Unseen(why), &tried)?;
                self.restart()?;
            }
        }
        Ok(Vec::new())
    }

    /// Saves a group, looks what becomes of it, and undoes it.
    fn attempt(&mut self, group: &[Body]) -> Result<Tried> {
        let started = Instant::now();
        let numbers: Vec<u64> = group.iter().map(|_| fastrand::u64(1 << 60..)).collect();
        let originals = mark::save(&self.folder, group, &numbers)?;
        let (verdict, way) = self.session.verdict(group.len() == 1);
        let mut tried = Tried {
            verdict,
            way,
            found: Vec::new(),
            together: group.len(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        if tried.verdict == Verdict::Patched {
            match self.session.found(group, &numbers) {
                Ok(each) => tried.found = each,
                Err(error) => tried.verdict = Verdict::Wrong(format!("{error:#}")),
            }
        }
        for (path, text) in originals {
            fs::write(path, text)?;
        }
        self.saves += 1;
        if let Some(why) = self.session.settle(&tried.verdict) {
            tried.verdict = Verdict::Wrong(why);
        }
        Ok(tried)
    }

    /// What was found is written down; the others are edited again without it.
    fn patched(&mut self, group: Vec<Body>, mut tried: Tried) -> Result<Vec<Vec<Body>>> {
        let mut missing = Vec::new();
        for (body, found) in group.into_iter().zip(std::mem::take(&mut tried.found)) {
            match found {
                Some(outcome) => self.say(&body, outcome, &tried)?,
                None => missing.push(body),
            }
        }
        if missing.len() == 1 && tried.together == 1 {
            let why = "no plugin holds the edit".to_owned();
            self.say(&missing[0], Outcome::Unseen(why), &tried)?;
            return Ok(Vec::new());
        }
        Ok(match missing.len() {
            0 => Vec::new(),
            length if length == tried.together => halves(missing),
            _ => vec![missing],
        })
    }

    fn say(&self, body: &Body, outcome: Outcome, tried: &Tried) -> Result<()> {
        let record = Record {
            project: self.project.package.name.to_owned(),
            function: body.name(),
            outcome,
            way: tried.way,
            together: tried.together,
            milliseconds: tried.milliseconds,
        };
        eprintln!(
            "{} {}: {:?} {} ms",
            record.project, record.function, record.outcome, record.milliseconds
        );
        self.records.add(&record)
    }
}

/// Those whose names are in the reason by themselves, the others together; else halves.
fn apart(group: Vec<Body>, why: &str) -> Vec<Vec<Body>> {
    let mut words = why.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words: Vec<&str> = words.by_ref().collect();
    let is_named = |body: &Body| {
        let name = body.function.rsplit("::").next().unwrap_or_default();
        words.contains(&name)
    };
    let (named, rest): (Vec<Body>, Vec<Body>) = group.into_iter().partition(is_named);
    match (named.is_empty(), rest.is_empty()) {
        (true, _) => halves(rest),
        (_, true) => named.into_iter().map(|body| vec![body]).collect(),
        _ => {
            let singles = named.into_iter().map(|body| vec![body]);
            std::iter::once(rest).chain(singles).collect()
        }
    }
}

pub(super) fn halves(mut group: Vec<Body>) -> Vec<Vec<Body>> {
    let second = group.split_off(group.len() / 2);
    let both = [group, second].into_iter();
    both.filter(|half| !half.is_empty()).collect()
}
