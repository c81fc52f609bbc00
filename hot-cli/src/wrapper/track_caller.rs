//! What the traits of a crate's dependencies say of their methods, as far as a site depends on it.
//!
//! Read from the sources that cargo's dep-info files beside the dependencies name. Those of other
//! packages in the same folder are read as well: a name too many only costs a method its own site.

use std::collections::BTreeSet;
use std::path::Path;

use soft_mock_rewriter::analysis::tracking_methods;

use crate::rustc::args::RustcArgs;
use crate::rustc::dep_info;

/// The methods that `#[track_caller]` stands on in the declaration of a trait.
///
/// `cwd`: what dep-info files of workspace members are relative to.
pub(crate) fn tracking(args: &RustcArgs, cwd: &Path) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    let mut names = BTreeSet::new();
    for folder in args.dependency_folders() {
        let Ok(entries) = std::fs::read_dir(cwd.join(folder)) else {
            continue;
        };
        let files = entries.flatten().map(|entry| entry.path());
        for path in files.filter(|path| path.extension().is_some_and(|end| end == "d")) {
            for source in dep_info::read(&path).unwrap_or_default() {
                let source = cwd.join(source);
                let is_rust = source.extension().is_some_and(|end| end == "rs");
                if is_rust && read.insert(source.clone()) {
                    // What is gone belongs to a build of some other day.
                    let text = std::fs::read_to_string(&source).unwrap_or_default();
                    names.extend(tracking_methods(&text));
                }
            }
        }
    }
    names
}
