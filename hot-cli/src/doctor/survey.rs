//! `hot doctor`: per crate, the share of functions that can be patched, and for the rest why not.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use soft_mock_rewriter::{macro_functions, FunctionInfo, Ineligible};

use super::crates::{of_project, Crate};
use crate::commands::DoctorArgs;
use crate::wrapper::config;

/// Functions that a line names.
const NAMED: usize = 3;

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
}

#[derive(Debug, Serialize)]
struct Rest {
    reason: String,
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
    let manifest = args.manifest_path.as_deref().and_then(Path::parent);
    let folder = manifest.map_or(here.clone(), |folder| here.join(folder));
    let settings = config::of_project(&folder).unwrap_or_default();
    let include = [args.include.clone(), settings.include].concat();
    let crates = of_project(args.manifest_path.as_deref(), args.examples, &include)?;
    let findings: Vec<Finding> = crates.iter().map(|krate| look(krate, &here)).collect();
    if args.json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&findings)?));
    }
    let mut text: String = findings.iter().map(Finding::text).collect();
    let (all, patchable) = findings.iter().fold((0, 0), |(all, patchable), finding| {
        (all + finding.functions, patchable + finding.patchable)
    });
    let _ = writeln!(text, "{}", share("all crates", patchable, all));
    text.push_str(
        "An edit of any other function builds the program again and restarts it, unless `hot` can patch it through \
         the functions that call it.\n",
    );
    Ok(text)
}

fn look(krate: &Crate, here: &Path) -> Finding {
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
    let functions = sources.rewritten.functions.iter();
    let functions: Vec<&FunctionInfo> = functions.filter(|f| !is_test(f)).collect();
    let mut rest: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for function in &functions {
        match (function.kind, krate.unfit) {
            (Ok(_), None) => finding.patchable += 1,
            (Ok(_), Some(why)) => rest
                .entry(why.to_owned())
                .or_default()
                .push(place(function, &shown)),
            (Err(why), _) => rest
                .entry(why.to_string())
                .or_default()
                .push(place(function, &shown)),
        }
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
        rest.insert("it stands inside a macro".to_owned(), made);
    }
    finding.rest = rest
        .into_iter()
        .map(|(reason, functions)| Rest { reason, functions })
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
                "{:5} {}: {}",
                rest.functions.len(),
                rest.reason,
                named.join(", ")
            );
        }
        text
    }
}
