//! The sources of a patch: a tiny crate that holds the changed functions of one crate and nothing
//! else.
//!
//! ```text
//! soft_mock_plugin.rs        pub use ::__hot_host::*;  mod store { pub use ::__hot_host::store::*; use …;  include!("home/me/app/src/store.rs"); }
//! home/me/app/src/store.rs   blank but for the changed functions, each at its own line and column
//! ```
//!
//! It is compiled under the user's crate name with the widened copy of the crate (the twin) as
//! `__hot_host`; `--remap-path-prefix <folder>=` makes panics, `file!()` and diagnostics name the
//! user's file. Calls to other functions go to the host's, through their sites; so do recursive
//! ones.
//!
//! An async function's new future is boxed and claims every auto trait, since the site's type does.
//! `Send` is checked: either the new future is `Send`, or the function's original one is not, so
//! that nobody can have relied on it. `Sync` needs no check: nothing can be done through a shared
//! reference to an unnamed future. The unwind-safety traits are hints that guard no memory.
//!
//! Knows nothing of rustc's arguments, of files and of what is done with the result.

mod addition;
mod compiled_alone;
mod crate_modules;
mod function;
mod layout;
mod macro_scope;
mod manifest;
mod reach;
mod request;
mod root;
mod site;
mod target;

use crate_modules::CrateModules;
use function::Emitted;
use reach::Reach;
use root::{Carried, Written};
use std::collections::HashSet;
use target::Target;

pub use compiled_alone::{addition_needs_whole_crate, needs_whole_crate};
pub use request::{
    PatchEntry, PatchFunction, PatchRequest, PatchSource, PatchSourceError, PatchedCrate, HOST,
    PLUGIN_ROOT,
};
pub use site::may_have_site;

/// Writes the sources of a plugin.
pub fn patch_source(request: &PatchRequest<'_>) -> Result<PatchSource, PatchSourceError> {
    let mut targets = Vec::new();
    for (index, wanted) in request.functions.iter().enumerate() {
        targets.push(Target::of(request, index, *wanted)?);
    }
    let modules = CrateModules::of(request.files);
    let mut emitted = Vec::new();
    let borrowing: HashSet<String> = request
        .files
        .iter()
        .flat_map(|file| file.borrowing.iter().cloned())
        .collect();
    for target in &targets {
        let cfgs = modules.file_conditions(target.request.file);
        emitted.push(function::emit(target, request.options, &borrowing, cfgs)?);
    }
    let added = addition::added(request, &modules, &targets)?;
    let reach = Reach::of(
        &modules,
        &targets,
        &added,
        request.options.edition,
        request.hidden,
    );
    let functions: Vec<PatchEntry> = targets
        .iter()
        .zip(&emitted)
        .map(|(target, emitted)| listed(target, emitted, request))
        .collect();
    let manifest = manifest::manifest(request.options, &functions);
    let Written { files, columns } = root::write(
        request.options,
        &modules,
        &reach,
        &Carried {
            targets: &targets,
            emitted: &emitted,
            added: &added,
            probes: &addition::probes(request, &modules),
        },
        &manifest,
    )?;
    Ok(PatchSource {
        files,
        columns,
        functions,
    })
}

fn listed(target: &Target<'_>, emitted: &Emitted, request: &PatchRequest<'_>) -> PatchEntry {
    PatchEntry {
        name: target.function.site_name(&request.options.crate_name),
        signature: target.function.signature.clone(),
        symbol: soft_mock_abi::symbol::patch(target.index),
        check: emitted.check.clone(),
        late: (target.request.added)
            .then(|| [site::cell(target.index), site::type_id(target.index)]),
        file: (request.shown)(&target.file.path),
        line: target.function.line,
    }
}

#[cfg(test)]
mod tests;
