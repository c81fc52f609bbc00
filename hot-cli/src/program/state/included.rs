//! Files that macros include in what a patch brought (`include_str!` and the like), and that the
//! program was built without: an edit of one is an edit of the functions that were compiled with
//! it.
//!
//! Knows nothing of how it becomes known which files those are.

use super::compare::Found;
use super::*;

/// A file that was compiled into functions which a patch brought.
#[derive(Clone)]
pub(super) struct Included {
    position: usize,
    path: PathBuf,
    /// A hash of what it held.
    hash: u64,
    /// The functions, and the bodies that they were edited to have. None: another edit reached
    /// them.
    functions: BTreeMap<String, Option<Fingerprint>>,
}

impl ProgramState {
    /// Takes note of the files that a patch was compiled with.
    pub(super) fn record_included(&mut self, wanted: &Wanted) {
        for (position, unit) in &wanted.plan {
            let new = unit.patch.iter().chain(&unit.restore);
            let new: HashSet<&String> = new.map(|function| &function.name).collect();
            for included in &mut self.included {
                if included.position == *position {
                    included.functions.retain(|name, _| !new.contains(name));
                }
            }
            let functions = unit.patch.iter().map(|function| {
                let site = (*position, function.name.clone());
                let body = wanted.bodies.get(&site).map(|edited| edited.body);
                (site.1, body)
            });
            let functions: BTreeMap<_, _> = functions.collect();
            let files = unit.included.iter();
            self.ever_included.extend(unit.included.keys().cloned());
            self.included.extend(files.map(|(path, hash)| Included {
                position: *position,
                path: path.clone(),
                hash: *hash,
                functions: functions.clone(),
            }));
        }
        self.included.retain(|known| !known.functions.is_empty());
    }

    /// Takes note that the code is the same with what the files hold now.
    pub(super) fn included_in_vain(&mut self, wanted: &Wanted) {
        for included in &mut self.included {
            let unit = wanted.plan.get(&included.position);
            if let Some(hash) = unit.and_then(|unit| unit.included.get(&included.path)) {
                included.hash = *hash;
            }
        }
    }

    /// What the files hold now counts as what was compiled: edits of them were taken back.
    pub(super) fn hold_included(&mut self) {
        for included in &mut self.included {
            included.hash = content_hash(&included.path);
        }
    }

    /// Finds the edits of such files, and the functions that they concern.
    pub(super) fn find_included(&self, found: &mut Found) {
        for included in &self.included {
            let functions = included.functions.iter();
            let concerned = functions.filter(|(name, body)| {
                let site = (included.position, (*name).clone());
                // A function with another body by now is compiled anyway, or the original again.
                let edited = found.bodies.get(&site).map(|function| function.body);
                edited == **body && (edited.is_some() || !found.indirect.is_empty())
            });
            let concerned: Vec<SiteKey> = concerned
                .map(|(name, _)| (included.position, name.clone()))
                .collect();
            if concerned.is_empty() || content_hash(&included.path) == included.hash {
                continue;
            }
            found.reread.extend(concerned);
            found.included.insert(Edit {
                file: included.path.clone(),
                line: 1,
                what: format!("{} changed", crate::ui::shown(&included.path)),
                now: Fingerprint::default(),
                preserved_static: None,
                is_of_code: false,
                may_alter_macros: true,
                may_concern_tests: true,
            });
        }
    }
}
