//! `hot doctor`: per crate, the share of functions that can be patched, and for the rest why not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use soft_mock_rewriter::analysis::{inlined, macro_functions, FunctionInfo, Ineligible};

use super::advice::{self, Advice};
use super::args::DoctorArgs;
use super::crates::{of_project, Crate};
use super::surroundings;
use crate::cargo::command_line::folder_of;
use crate::config::settings;

/// Functions that a line names.
const NAMED: usize = 3;

/// All of it, for programs.
#[derive(Debug, Serialize)]
struct Findings<'a> {
    crates: &'a [Finding],
    /// What concerns the whole project.
    advice: &'a [Advice],
}

/// What is said of one crate.
#[derive(Debug, Serialize)]
struct Finding {
    #[serde(rename = "crate")]
    name: String,
    kind: String,
    root: String,
    /// All functions with a body, without tests.
    functions: usize,
    patchable: usize,
    /// Those that can't be patched by themselves, by reason.
    rest: Vec<Rest>,
    /// Files that can't be read as Rust, and whatever else kept it from being looked at.
    problems: Vec<String>,
    /// What follows an edit only after a restart.
    advice: Vec<Advice>,
}

#[derive(Debug, Serialize)]
struct Rest {
    reason: String,
    /// Their edits are patched all the same, by way of the functions that call them.
    by_callers: bool,
    functions: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Place {
    name: String,
    file: String,
    line: usize,
}

/// Looks at a project without running it.
pub(crate) fn doctor(args: &DoctorArgs) -> Result<String> {
    let here = std::env::current_dir().unwrap_or_default();
    let folder = folder_of(args.manifest_path.as_deref());
    let settings = settings::of_project(&folder)?;
    let include = [args.include.clone(), settings.list("include")].concat();
    let crates = of_project(args.manifest_path.as_deref(), args.examples, &include)?;
    let findings: Vec<Finding> = crates
        .iter()
        .map(|krate| survey(krate, args.release, &here))
        .collect();
    let around = surroundings::of_project(&root(&folder), args.release);
    if args.json {
        let all = Findings {
            crates: &findings,
            advice: &around,
        };
        return Ok(format!("{}\n", serde_json::to_string_pretty(&all)?));
    }
    let mut text: String = findings.iter().map(Finding::text).collect();
    let (all, patchable) = findings.iter().fold((0, 0), |(all, patchable), finding| {
        (all + finding.functions, patchable + finding.patchable)
    });
    let rest = || findings.iter().flat_map(|finding| &finding.rest);
    let by_callers = rest().filter(|rest| rest.by_callers);
    let by_callers: usize = by_callers.map(|rest| rest.functions.len()).sum();
    let _ = writeln!(text, "{}", share("all crates", patchable, all));
    let others = all - patchable;
    if others > 0 {
        let (share, them) = match (others, by_callers) {
            (1, 1) => ("The other one is".to_owned(), "it"),
            (all, some) if all == some => (format!("The other {all} are"), "them"),
            (all, some) => (format!("Of the other {all}, {some} can be"), "them"),
        };
        let _ = writeln!(
            text,
            "{share} patched by way of the functions that call {them}, where no type or object \
             depends on {them}; any other edit builds the program again and restarts it."
        );
    }
    let advice = findings.iter().flat_map(|finding| &finding.advice);
    let advice: Vec<&Advice> = advice.chain(&around).collect();
    if !advice.is_empty() {
        text.push_str("What follows an edit only after a restart, or late:\n");
    }
    for Advice { what, advice } in advice {
        let _ = writeln!(text, "      {what}\n          {advice}");
    }
    Ok(text)
}

/// The folder of the workspace.
fn root(folder: &Path) -> PathBuf {
    let manifests = settings::files(folder);
    let outermost = manifests.last().and_then(|manifest| manifest.parent());
    outermost.unwrap_or(folder).to_owned()
}

fn survey(krate: &Crate, release: bool, here: &Path) -> Finding {
    let shown = |path: &Path| {
        path.strip_prefix(here)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let mut finding = Finding {
        name: krate.name.clone(),
        kind: krate.kind.clone(),
        root: shown(&krate.root),
        functions: 0,
        patchable: 0,
        rest: Vec::new(),
        problems: krate.unfit.iter().map(|why| (*why).to_owned()).collect(),
        advice: Vec::new(),
    };
    let sources = match krate.read() {
        Ok(sources) => sources,
        Err(error) => {
            finding.problems.push(format!("{error:#}"));
            return finding;
        }
    };
    finding
        .problems
        .extend(sources.tree.errors.iter().map(ToString::to_string));
    if krate.unfit.is_none() {
        finding.advice = advice::of_crate(&sources.tree, krate.main, &shown);
    }
    let functions = sources.rewritten.functions.iter();
    let functions: Vec<&FunctionInfo> = functions.filter(|f| !is_test(f)).collect();
    let mut rest: BTreeMap<(String, bool), Vec<Place>> = BTreeMap::new();
    let left_to_the_optimiser = match release {
        true => inlined(&sources.tree, &krate.name).into_iter().collect(),
        false => BTreeSet::new(),
    };
    for function in &functions {
        let why = match (function.kind, krate.unfit) {
            (_, Some(why)) => (why.to_owned(), false),
            (Err(why), None) => (why.to_string(), why.is_reached_by_callers()),
            (Ok(_), None) if left_to_the_optimiser.contains(&function.name) => {
                ("the optimiser inlines it".to_owned(), true)
            }
            (Ok(_), None) => {
                finding.patchable += 1;
                continue;
            }
        };
        rest.entry(why).or_default().push(place(function, &shown));
    }
    let made = macro_functions(&sources.tree)
        .into_iter()
        .map(|made| Place {
            name: made.name,
            file: shown(&made.path),
            line: made.line,
        });
    let made: Vec<Place> = made.collect();
    finding.functions = functions.len() + made.len();
    if !made.is_empty() {
        let why = "it stands inside a macro".to_owned();
        rest.insert((why, krate.unfit.is_none()), made);
    }
    finding.rest = rest
        .into_iter()
        .map(|((reason, by_callers), functions)| Rest {
            reason,
            by_callers,
            functions,
        })
        .collect();
    finding
        .rest
        .sort_by_key(|rest| std::cmp::Reverse(rest.functions.len()));
    finding
}

fn is_test(function: &FunctionInfo) -> bool {
    function.kind == Err(Ineligible::Test)
}

fn place(function: &FunctionInfo, shown: &dyn Fn(&Path) -> String) -> Place {
    Place {
        name: function.name.clone(),
        file: shown(&function.path),
        line: function.line,
    }
}

fn share(what: &str, patchable: usize, all: usize) -> String {
    let percent = match all {
        0 => String::new(),
        all => format!(", {} %", patchable * 100 / all),
    };
    format!("{what}: {patchable} of {all} functions can be patched{percent}")
}

impl Finding {
    fn text(&self) -> String {
        let what = format!("{} ({} {})", self.name, self.kind, self.root);
        let mut text = share(&what, self.patchable, self.functions);
        text.push('\n');
        for problem in &self.problems {
            let _ = writeln!(text, "      {problem}");
        }
        for rest in &self.rest {
            let places = rest.functions.iter().take(NAMED);
            let mut named: Vec<String> = places
                .map(|place| format!("{} ({}:{})", place.name, place.file, place.line))
                .collect();
            if rest.functions.len() > NAMED {
                named.push(format!("+{} more", rest.functions.len() - NAMED));
            }
            let _ = writeln!(
                text,
                "{:5} {}: {}\n      {}",
                rest.functions.len(),
                rest.reason,
                named.join(", "),
                match rest.by_callers {
                    true => "by way of their callers",
                    false => "not at all",
                }
            );
        }
        text
    }
}
