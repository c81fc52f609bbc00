//! Whether functions that `hot` compiles alone mean what they mean in their crate.
//!
//! Many are edited in one save; then `hot` is left alone, until it has compared what it compiled
//! with the crate as rustc compiles it. Those that it doesn't compile alone are taken out of the
//! group, each with its reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::groups::halves;
use super::mark::{self, Body};
use super::projects::{self, Project};
use super::session::{Session, Verdict};
use super::Way;
use crate::records::Records;

/// What was found of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Meaning {
    Same,
    Other(String),
    /// It was compiled alone, and can't be compared.
    NotCompared(String),
    /// It isn't compiled alone: the whole crate is.
    NotAlone(String),
    /// It has no site.
    NoSite,
    /// The edit doesn't compile, or `hot` has nothing to say of it.
    NoEdit(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    project: String,
    function: String,
    meaning: Meaning,
}

/// What `hot` says when it has compared.
const COMPARED: &str = " mean what they mean in their crate, ";

/// Looks at the functions of these projects, or of all.
pub(crate) fn run(names: &[String], sample: usize, together: usize) -> Result<bool> {
    for project in projects::chosen(names)? {
        let name = project.package.name;
        look(&project, sample, together.max(1)).with_context(|| name.to_owned())?;
    }
    print()?;
    let is_bad = |record: &Record| matches!(record.meaning, Meaning::Other(_));
    Ok(!newest()?.iter().any(is_bad))
}

fn look(project: &Project, sample: usize, together: usize) -> Result<()> {
    let folder = project.prepare()?;
    let mut run = Run {
        project,
        session: Session::start(project, &folder)?,
        folder,
        records: Records::new("meanings"),
    };
    let bodies = super::bodies(&run.session, &run.folder, sample)?;
    let (mut own, others): (Vec<Body>, Vec<Body>) = bodies
        .into_iter()
        .partition(|body| run.session.has_site(body));
    for body in &others {
        run.say(body, Meaning::NoSite)?;
    }
    own.sort_by(|a, b| a.file.cmp(&b.file));
    let mut groups: Vec<Vec<Body>> = own.chunks(together).map(<[Body]>::to_vec).collect();
    while let Some(group) = groups.pop() {
        let left: usize = groups.iter().map(Vec::len).sum();
        let name = project.package.name;
        eprintln!("{name}: {left} behind these {}", group.len());
        groups.extend(run.group(group)?);
    }
    Ok(())
}

struct Run<'a> {
    project: &'a Project,
    folder: PathBuf,
    session: Session,
    records: Records,
}

impl Run<'_> {
    /// Edits a group. Returns the groups that have to be edited again.
    fn group(&mut self, group: Vec<Body>) -> Result<Vec<Vec<Body>>> {
        let numbers: Vec<u64> = group.iter().map(|_| fastrand::u64(1 << 60..)).collect();
        let originals = mark::save(&self.folder, &group, &numbers)?;
        let (verdict, way) = self.session.verdict(false);
        let alone = verdict == Verdict::Patched && way == Way::Small;
        let heard = match alone {
            true => self.session.heard_until(COMPARED),
            false => Some(self.session.heard()),
        };
        let heard = heard.context("`hot` has compared nothing")?.to_vec();
        for (path, text) in originals {
            fs::write(path, text)?;
        }
        let unsettled = self.session.settle(&verdict);
        let mut again = Vec::new();
        match verdict {
            Verdict::Patched if alone => self.compared(&group, &heard)?,
            Verdict::Patched => again = self.not_alone(group, &heard)?,
            Verdict::Crashed(why) | Verdict::Wrong(why) => anyhow::bail!(why),
            _ if group.len() > 1 => again = halves(group),
            Verdict::Rude(why) => self.say(&group[0], Meaning::NotAlone(why))?,
            Verdict::NoEdit(why) => self.say(&group[0], Meaning::NoEdit(why))?,
            Verdict::Unused | Verdict::Silent => {
                self.say(&group[0], Meaning::NoEdit(String::new()))?;
            }
        }
        if let Some(why) = unsettled {
            eprintln!("a new session: {why}");
            self.session = Session::start(self.project, &self.folder)?;
        }
        Ok(again)
    }

    fn compared(&self, group: &[Body], heard: &[String]) -> Result<()> {
        for body in group {
            let other = said_of(body, heard, " was compiled alone");
            let unknown = said_of(body, heard, " can't be compared with its crate: ");
            let meaning = match (other, unknown) {
                (Some(what), _) => Meaning::Other(what),
                (None, Some(why)) => Meaning::NotCompared(why),
                (None, None) => Meaning::Same,
            };
            self.say(body, meaning)?;
        }
        Ok(())
    }

    /// Those that the whole crate was compiled for are taken out.
    fn not_alone(&self, group: Vec<Body>, heard: &[String]) -> Result<Vec<Vec<Body>>> {
        let mut reasons = heard.iter();
        let reason = reasons.find_map(|line| line.split_once("the whole crate is compiled: "));
        let reason = reason.map_or("", |(_, why)| why);
        let blamed = blamed(&group, reason).map(Body::name);
        let only = group.len() == 1;
        let why = |body: &Body| {
            let is_blamed = only || blamed.as_ref() == Some(&body.name());
            let said = said_of(body, heard, " is not compiled alone: ");
            said.or_else(|| is_blamed.then(|| reason.to_owned()))
        };
        let (named, others): (Vec<Body>, Vec<Body>) =
            group.into_iter().partition(|body| why(body).is_some());
        for body in &named {
            self.say(body, Meaning::NotAlone(why(body).unwrap_or_default()))?;
        }
        Ok(match named.is_empty() {
            true => halves(others),
            false if others.is_empty() => Vec::new(),
            false => vec![others],
        })
    }

    fn say(&self, body: &Body, meaning: Meaning) -> Result<()> {
        if !matches!(meaning, Meaning::Same | Meaning::NoSite) {
            eprintln!("{}: {meaning:?}", body.name());
        }
        self.records.add(&Record {
            project: self.project.package.name.to_owned(),
            function: body.name(),
            meaning,
        })
    }
}

/// The function in which the compiler's error stands: `error: … --> src/a.rs:7:5`.
fn blamed<'a>(group: &'a [Body], error: &str) -> Option<&'a Body> {
    let (_, place) = error.rsplit_once("--> ")?;
    let mut parts = place.split(':');
    let (file, line) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
    let before = group.iter().filter(|body| {
        body.file.to_str().is_some_and(|own| file.ends_with(own)) && body.line <= line
    });
    before.max_by_key(|body| body.line)
}

/// What a line says of a function, behind these words.
fn said_of(body: &Body, heard: &[String], words: &str) -> Option<String> {
    let place = format!("{}:{}){words}", body.file.display(), body.line);
    heard.iter().find_map(|line| {
        let at = line.find(&place)?;
        // The file is a whole one, not the end of another one's name.
        let is_whole = line[..at].ends_with(['(', '/']);
        is_whole.then(|| line[at + place.len()..].to_owned())
    })
}

/// Each function's newest result.
fn newest() -> Result<Vec<Record>> {
    let mut newest = BTreeMap::new();
    for record in Records::new("meanings").read::<Record>()? {
        newest.insert((record.project.clone(), record.function.clone()), record);
    }
    Ok(newest.into_values().collect())
}

/// Prints what was found of each project.
pub(crate) fn print() -> Result<()> {
    let mut rows: BTreeMap<String, [usize; 6]> = BTreeMap::new();
    for record in newest()? {
        let column = match record.meaning {
            Meaning::Same => 0,
            Meaning::Other(_) => 1,
            Meaning::NotCompared(_) => 2,
            Meaning::NotAlone(_) => 3,
            Meaning::NoSite => 4,
            Meaning::NoEdit(_) => 5,
        };
        rows.entry(record.project).or_default()[column] += 1;
    }
    println!("| project | compiled alone and compared | something else | not compared | not alone | no site | no edit |");
    println!("|---|---|---|---|---|---|---|");
    for (project, [same, other, not_compared, not_alone, no_site, no_edit]) in &rows {
        let compared = same + other;
        println!(
            "| {project} | {compared} | {other} | {not_compared} | {not_alone} | {no_site} | {no_edit} |"
        );
    }
    Ok(())
}
