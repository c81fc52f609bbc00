//! Late sites of a plugin: which code of the program gets one from it, and what vtables of its own
//! lead to in place of that code.
//!
//! ```text
//! a vtable of the plugin     to code with a late site      the site's entry
//!                            to code that is the same      the program's own
//!                            to any other                  the plugin's
//! ```
//!
//! So whatever is done about the program's objects concerns those of plugins as well. Which code
//! can have one is decided by `compare`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use soft_mock_abi::manifest::Function;
use soft_mock_abi::symbol;
use soft_mock_compiled::compare::{called_by, Rebound};
use soft_mock_compiled::late_object;
use soft_mock_compiled::select::ProgramSymbols;
use soft_mock_compiled::symbols::{closure_in, is_of, without_marks};
use soft_mock_compiled::world::Piece;

use super::plugin::Plugins;
use super::Request;
use crate::program::whole_crate_plugin::Replaced;
use crate::rustc::unit::Unit;

/// Code of the program that gets a site.
pub(super) struct Late {
    /// Its path, with the marks of crates.
    pub(super) path: String,
    /// The name that its new code is exported under.
    symbol: String,
    /// The symbols of its old code.
    pub(super) originals: Vec<String>,
    pub(super) replaced: Replaced,
}

/// Whether code of the program can be given a site afterwards. Libraries of managed plugins come
/// and go; of a program that stands where it was linked to it isn't known what holds addresses.
/// Optimisation lets functions with the same code be one; and optimised code, also that of a
/// dependency, may read a slot once and call what it held again and again.
pub(super) fn can_be_given(request: &Request<'_>) -> bool {
    let is_optimised = |unit: &Unit| {
        let args = unit.rustc_args();
        args.is_optimised() || args.is_optimised_when_linked() || unit.optimisation_differs
    };
    request.library.is_none()
        && !request.program.is_fixed
        && !request.units.iter().any(|unit| is_optimised(unit.unit))
}

/// The symbols by which the program exports the code of a path, if nothing else stands at the same
/// address.
pub(super) fn exported(request: &Request<'_>, program: &ProgramSymbols, path: &str) -> Vec<String> {
    let symbols = program.functions(path);
    let mut own = symbols.iter();
    match own.any(|symbol| request.program.folded.contains(symbol)) {
        true => Vec::new(),
        false => symbols,
    }
}

/// Those whose new code stands in the unit at `position`. `others`: how many functions the plugin
/// has beside.
pub(super) fn of_unit(plugins: &Plugins<'_, '_, '_>, position: usize, others: usize) -> Vec<Late> {
    let world = &plugins.code.world;
    let is_its = |path: &&str| {
        let mut code = world.pieces(path).iter();
        let first = code.find(|piece| world.is_code(**piece));
        first.is_some_and(|piece| plugins.code.units[piece.0] == position)
    };
    let late = plugins.difference.late.iter().map(|path| &**path);
    let late = late.filter(is_its).enumerate();
    late.map(|(at, path)| Late {
        path: path.to_owned(),
        symbol: symbol::patch(others + at),
        originals: plugins
            .premises
            .in_program(path)
            .map_or_else(Vec::new, |path| plugins.program.functions(&path)),
        replaced: replaced(plugins, position, path),
    })
    .collect()
}

/// The paths, and the names that their new code is exported under.
pub(super) fn names(late: &[Late]) -> BTreeMap<String, String> {
    late.iter()
        .map(|late| (late.path.clone(), late.symbol.clone()))
        .collect()
}

/// What a vtable in a piece of the new code is to hold in place of the code at `path`.
pub(super) fn rebound(
    plugins: &Plugins<'_, '_, '_>,
    late: &[Late],
    piece: Piece,
    path: &str,
) -> Option<(String, Rebound)> {
    let premises = plugins.premises;
    premises.late?;
    if !is_of(path, premises.crates) || !plugins.lives.is_vtable(1, piece) {
        return None;
    }
    if let Some(at) = late.iter().position(|late| late.path == path) {
        return Some((late_object::entry(at), Rebound::LateSite));
    }
    let is_code = |piece: &Piece| plugins.old.world.is_code(*piece);
    let is_same = plugins.old.world.pieces(path).first().is_some_and(is_code)
        && !plugins.difference.dirty.contains(path)
        && !premises.then.contains_key(path)
        && plugins.new.is_same(plugins.old, path)
        && plugins.new.has_one_function(plugins.old, path)
        // Futures of the plugin have another layout than the program's.
        && plugins.lives.line_of_same(path).is_some();
    let exported = plugins.program.function(path).filter(|_| is_same)?;
    Some((exported.to_owned(), Rebound::Program))
}

/// The functions as the manifest has them.
pub(super) fn manifest<'a>(
    late: &'a [Late],
    unit: &'a Unit,
) -> impl Iterator<Item = Function> + 'a {
    late.iter().enumerate().map(|(at, late)| {
        let file = &late.replaced.file;
        let file = file.strip_prefix(&unit.cwd).unwrap_or(file);
        Function {
            name: late.replaced.name.clone(),
            signature: late.path.clone(),
            symbol: late.symbol.clone(),
            check: None,
            file: file.display().to_string(),
            line: u32::try_from(late.replaced.line).unwrap_or(u32::MAX),
            late: Some(late_object::cell(at)),
            type_id: None,
            sharing: None,
        }
    })
}

/// The function as it is told: by the line in debug information, and the file of the function that
/// stands there, or around it.
fn replaced(plugins: &Plugins<'_, '_, '_>, position: usize, path: &str) -> Replaced {
    let own = called_by(path);
    let closure = closure_in(own).unwrap_or(own);
    let mut lines = [closure, own, path].into_iter();
    let line = lines.find_map(|path| plugins.lives.line_of_same(path));
    let line = line.unwrap_or_default() as usize;
    // As the program has it: other parts of a session find a function's closures by its name.
    let [name, around] = [path, closure].map(|path| {
        let in_program = plugins.premises.in_program(path);
        without_marks(in_program.as_deref().unwrap_or(path))
    });
    let compiled = plugins.built.compiled.get(&position);
    let functions = compiled
        .into_iter()
        .flat_map(|compiled| &compiled.functions);
    let last = |name: &str| name.rsplit("::").next().map(str::to_owned);
    // The names of methods' sites differ from their paths in how the type is written.
    let outer = around.split("::{").next().and_then(last);
    let found = functions
        .filter(|function| function.line <= line)
        .filter_map(|function| {
            let is_it = function.line == line && last(&function.name) == last(&around);
            let is_in = is_it || around.starts_with(&*function.name);
            let is_named_so = last(&function.name) == outer;
            (is_in || is_named_so).then_some((is_in, function.line, function))
        })
        .max_by_key(|(is_in, line, _)| (*is_in, *line))
        .map(|(_, _, function)| function);
    let found = || found.map(|function| function.path.clone());
    Replaced {
        file: file_around(plugins, position, closure)
            .or_else(found)
            .unwrap_or_default(),
        name,
        line,
        content: None,
        brought: None,
    }
}

/// The file of the function with a site that a closure stands in.
fn file_around(plugins: &Plugins<'_, '_, '_>, position: usize, closure: &str) -> Option<PathBuf> {
    let path = plugins.premises.in_program(closure)?;
    let mut functions = path
        .rmatch_indices("::{closure#")
        .map(|(end, _)| &path[..end]);
    let site = functions.find_map(|function| plugins.premises.now.get(function))?;
    Some(plugins.built.replaced(position, site).file)
}
