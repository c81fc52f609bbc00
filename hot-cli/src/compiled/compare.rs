//! From two compilations of a program's units to the functions that have to be replaced.
//!
//! ```text
//! code that differs ─► has it a site?  yes ─► it is replaced
//!                       │ no
//!                       ▼
//!                  everything that refers to it differs too
//! ```
//!
//! Old code without a site that a living object may lead to (through a vtable, a static, a function
//! pointer) would go on being called: that is refused. A closure that is alive is the exception: the
//! body that it was made with is its own, as a call in progress keeps its body.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use object::elf;
use soft_mock_rewriter::whole_crate::DETACHED_BODY;

use super::code;
use super::elf::demangled;
use super::fingerprint::Fingerprints;
use super::objects::Relocation;
use super::sites::{self, Site};
use super::world::{is_rust, Piece, Target, Use, World};

/// One compilation.
pub(crate) struct Side<'a, 'd> {
    pub(crate) world: &'a World<'d>,
    prints: Fingerprints<'a, 'd>,
    users: HashMap<Piece, Vec<(Piece, Relocation)>>,
}

impl<'a, 'd> Side<'a, 'd> {
    pub(crate) fn new(world: &'a World<'d>) -> Self {
        Self {
            world,
            prints: Fingerprints::new(world),
            users: world.users(),
        }
    }

    fn users(&self, piece: Piece) -> &[(Piece, Relocation)] {
        self.users.get(&piece).map_or(&[], Vec::as_slice)
    }

    /// Whether `table` is a function's own table of places to jump to: nothing else refers to it, and what
    /// it holds are distances, which no pointer is. A jump there is part of a call in progress.
    fn is_jump_table(&self, table: Piece, relocation: &Relocation, function: Piece) -> bool {
        let world = self.world;
        let mut users = self.users(table).iter();
        relocation.kind == elf::R_X86_64_PC32
            && !world.is_code(table)
            && world.symbols_in(table).is_empty()
            && users.all(|(user, _)| *user == function)
    }

    fn code(&self, path: &str) -> Vec<Piece> {
        let pieces = self.world.pieces(path).iter().copied();
        pieces.filter(|piece| self.world.is_code(*piece)).collect()
    }

    pub(crate) fn print(&self, piece: Piece) -> u64 {
        self.prints.of(piece)
    }

    /// Whether what has this path is the same in another compilation.
    pub(crate) fn is_same(&self, other: &Side<'_, '_>, path: &str) -> bool {
        let (now, then) = (self.world.pieces(path), other.world.pieces(path));
        !then.is_empty() && self.print_of(now) == other.print_of(then)
    }

    fn print_of(&self, pieces: &[Piece]) -> BTreeSet<u64> {
        pieces.iter().map(|piece| self.prints.of(*piece)).collect()
    }
}

/// What is known beside the code.
pub(crate) struct Facts<'a> {
    /// Sites of the program that can be used, by the paths of the code that holds them.
    pub(crate) bound: &'a HashMap<String, Site>,
    /// The names of the units' crates.
    pub(crate) crates: &'a HashSet<String>,
    /// All identifiers in the sources.
    pub(crate) words: &'a HashSet<String>,
    /// Nothing but bodies of functions was edited.
    pub(crate) only_bodies: bool,
}

impl Facts<'_> {
    /// Whether a variable describes the code that it stands in, such as the callsite of a log line:
    /// a foreign macro left it in a body. Where it differs, it is a new one.
    pub(crate) fn is_description(&self, world: &World<'_>, path: &str) -> bool {
        let last = path.rsplit("::").next().unwrap_or(path);
        !self.words.contains(last) && is_in_body(world, path)
    }
}

/// Whether a variable is declared inside of a function.
fn is_in_body(world: &World<'_>, path: &str) -> bool {
    let mut rest = path;
    while let Some(at) = rest.rfind("::") {
        rest = &rest[..at];
        if rest.ends_with('}') || world.pieces(rest).iter().any(|piece| world.is_code(*piece)) {
            return true;
        }
    }
    false
}

/// The outcome.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// The paths of the code with a site that is to be replaced.
    pub(crate) replaced: BTreeSet<String>,
    /// Statics whose initialisers differ.
    pub(crate) kept: BTreeSet<String>,
    /// Paths whose own code differs, or that are new.
    pub(crate) changed: HashSet<Rc<str>>,
}

/// Compares. `Err`: why the program can't become what was compiled.
pub(crate) fn compare<'d>(
    old: &Side<'_, 'd>,
    new: &Side<'_, 'd>,
    facts: &Facts<'_>,
) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let spread = Spread { old, new, facts };
    let described = spread.statics(&mut difference)?;
    difference.changed = changed(old, new, facts.crates);
    let dirty = spread.dirty(described, &mut difference);
    for path in &dirty {
        spread.may_be_alive(path, &mut difference)?;
    }
    Ok(difference)
}

/// Code whose own bytes differ, or that is new. Not what foreign crates make for foreign types: it
/// stands in an object if something there happens to need it, and is the same everywhere. (Their inline
/// functions have the older mangling, which names no crate with a mark.)
fn changed(old: &Side<'_, '_>, new: &Side<'_, '_>, crates: &HashSet<String>) -> HashSet<Rc<str>> {
    let code = new
        .world
        .paths()
        .filter(|(path, _)| !path.contains("::") || is_of(path, crates))
        .filter(|(_, pieces)| new.world.is_code(pieces[0]));
    code.filter(|(path, pieces)| {
        let before = old.world.pieces(path);
        before.is_empty() || old.print_of(before) != new.print_of(pieces)
    })
    .map(|(path, _)| Rc::clone(path))
    .collect()
}

struct Spread<'a, 'd> {
    old: &'a Side<'a, 'd>,
    new: &'a Side<'a, 'd>,
    facts: &'a Facts<'a>,
}

impl Spread<'_, '_> {
    /// Takes note of statics that begin with another value. Returns what is new with the code that it
    /// describes.
    fn statics(&self, found: &mut Difference) -> Result<Vec<Piece>, String> {
        let (old, new) = (self.old, self.new);
        let mut described = Vec::new();
        for (path, pieces) in new.world.paths() {
            let piece = pieces[0];
            let symbols = new.world.symbols_in(piece);
            let rust = symbols.iter().all(|name| is_rust(name));
            if new.world.is_code(piece) || !rust || sites::owner(path).is_some() {
                continue;
            }
            let before = old.world.pieces(path);
            let Some(first) = before.first() else {
                continue;
            };
            if old.print_of(before) == new.print_of(pieces) {
                continue;
            }
            if self.facts.is_description(new.world, path) {
                described.extend(pieces);
                continue;
            }
            let name = demangled(symbols[0]);
            let size = |side: &Side<'_, '_>, piece: Piece| {
                side.world.objects[piece.0].sections[piece.1].size
            };
            if size(old, *first) != size(new, piece) {
                return Err(format!(
                    "the type of the variable `{name}` has another size"
                ));
            }
            found.kept.insert(name);
        }
        Ok(described)
    }

    /// Goes from changed code to what refers to it. Returns the code without a site that was passed.
    fn dirty(&self, described: Vec<Piece>, difference: &mut Difference) -> BTreeSet<Rc<str>> {
        let mut dirty = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut waiting: Vec<Piece> = Vec::new();
        for path in &difference.changed {
            waiting.extend(self.new.code(path));
        }
        for piece in described {
            waiting.extend(self.new.users(piece).iter().map(|(user, _)| *user));
        }
        while let Some(piece) = waiting.pop() {
            if !seen.insert(piece) {
                continue;
            }
            if let Some(path) = self.new.world.path_of(piece) {
                if !self.new.world.is_code(piece) {
                    // A static: what the program's own leads to is looked at from the old side.
                    continue;
                }
                if self.facts.bound.contains_key(&*path) {
                    difference.replaced.insert(path.to_string());
                    continue;
                }
                dirty.insert(path);
            }
            waiting.extend(self.new.users(piece).iter().map(|(user, _)| *user));
        }
        dirty
    }

    /// Refuses if something alive may lead to the old code of `path`.
    fn may_be_alive(&self, path: &Rc<str>, difference: &mut Difference) -> Result<(), String> {
        let world = self.old.world;
        for piece in self.old.code(path) {
            if world.symbols_in(piece).iter().any(|name| !is_rust(name)) {
                return Err(format!(
                    "`{}` has no site, and foreign code may call it by its name",
                    shown(path)
                ));
            }
            for (user, relocation) in self.old.users(piece) {
                let usage = world.usage(*user, relocation);
                if usage == Use::Call
                    || self.old.is_jump_table(*user, relocation, piece)
                    || self.is_harmless(path, piece, usage)
                {
                    continue;
                }
                let holder = world.path_of(*user).filter(|_| usage == Use::Data);
                if let Some(holder) = &holder {
                    if path.starts_with(&format!("{holder}::")) {
                        difference.kept.insert(shown(holder));
                        continue;
                    }
                }
                if self.is_own_body(path, difference) {
                    continue;
                }
                let through = match (holder, usage) {
                    (Some(holder), _) => format!("the static `{}`", shown(&holder)),
                    (None, Use::Data) => "a vtable or a table of functions".to_owned(),
                    (None, _) => {
                        let user = world
                            .path_of(*user)
                            .map_or_else(String::new, |user| shown(&user));
                        format!("a pointer to it, taken in `{user}`")
                    }
                };
                return Err(format!(
                    "`{}` has no site, and {through} may still lead to its old code",
                    shown(path)
                ));
            }
        }
        Ok(())
    }

    /// Addresses that nothing keeps.
    fn is_harmless(&self, path: &str, piece: Piece, usage: Use) -> bool {
        // The arguments of a `format_args!` live as long as the call that they are made for.
        let formats =
            path.contains(" as core[") && path.contains("]::fmt::") && path.ends_with("::fmt");
        // The future of a body that was moved: in the program it is part of the function's own, and a
        // call in progress.
        if is_detached_body(path) {
            return true;
        }
        let catches = path.starts_with("std[") && path.contains("]::panicking::");
        (usage == Use::Address && (formats || catches)) || self.is_accessor(path, piece)
    }

    /// Whether it is the function through which a thread-local is reached: the constant that names it
    /// is part of the code that uses it.
    fn is_accessor(&self, path: &str, piece: Piece) -> bool {
        is_accessor(self.old.world, path, piece)
    }

    /// Whether nothing is new in what `path` calls but bodies of closures of the same function, and what the
    /// compiler makes for their types. The future of another function is no part of it.
    fn is_own_body(&self, path: &Rc<str>, difference: &Difference) -> bool {
        let Some(function) = function_of(path) else {
            return false;
        };
        let own = format!("{function}::{{closure#");
        self.facts.only_bodies
            && is_closure(path, self.facts.crates)
            && reach(self.new, path, self.facts)
                .iter()
                .filter(|path| difference.changed.contains(*path))
                .all(|path| is_closure(path, self.facts.crates) && path.contains(&own))
    }
}

/// All code without a site that `path` leads to, itself included.
fn reach(side: &Side<'_, '_>, path: &str, facts: &Facts<'_>) -> BTreeSet<Rc<str>> {
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut waiting: Vec<Piece> = side.code(path);
    while let Some(piece) = waiting.pop() {
        if !seen.insert(piece) {
            continue;
        }
        if let Some(path) = side.world.path_of(piece) {
            let stops = !side.world.is_code(piece) || facts.bound.contains_key(&*path);
            if stops {
                continue;
            }
            found.insert(path);
        }
        for relocation in side.world.objects[piece.0].relocations(piece.1) {
            if let Some(Target::Piece(next)) = side.world.target(piece.0, &relocation) {
                waiting.push(next);
            }
        }
    }
    found
}

/// Whether `path` is the future of a body that was moved, or drops one.
fn is_detached_body(path: &str) -> bool {
    let path = match path.split_once("::drop_in_place::<") {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(rest),
        None => path,
    };
    let body = path.strip_suffix("::{closure#0}");
    let name = body.map(|body| body.rsplit("::").next().unwrap_or(body));
    name.is_some_and(|name| name.starts_with(DETACHED_BODY))
}

/// Whether `path` is a closure or a future, or is made by the compiler or a foreign crate for one.
fn is_closure(path: &str, crates: &HashSet<String>) -> bool {
    if !path.contains("{closure#") {
        return false;
    }
    let path = path.split("::{shim").next().unwrap_or(path);
    if path.ends_with('}') {
        return true;
    }
    let is_ours = |part: &str| {
        let part = part.trim_start_matches(['&', '<', '*', '(', '[']);
        let part = part.trim_start_matches("mut ").trim_start_matches("const ");
        let part = part.trim_start_matches("dyn ");
        part.find('[')
            .is_some_and(|end| crates.contains(&part[..end]))
    };
    let Some(inside) = path.strip_prefix('<') else {
        return !is_ours(path);
    };
    // `<Type as Trait>::method` or `<Type>::method`.
    let (ty, rest) = split_type(inside);
    let of_closure = ty.ends_with('}') && ty.contains("{closure#");
    let tr = rest.strip_prefix(" as ");
    (of_closure || !is_ours(ty))
        && tr.is_none_or(|tr| !is_ours(tr))
        && (tr.is_some() || !is_ours(ty))
}

/// The function in which the first closure or future of a path stands: `app::f` of `app::f::{closure#0}`, also
/// where that is the argument of something else.
fn function_of(path: &str) -> Option<&str> {
    let end = path.find("::{closure#")?;
    let mut depth = 0_usize;
    let mut start = end;
    for (at, letter) in path[..end].char_indices().rev() {
        let arrow = letter == '>' && path[..at].ends_with('-');
        match letter {
            '>' | ')' | ']' if !arrow => depth += 1,
            '<' | '(' | '[' | ' ' | ',' | '&' if depth == 0 => break,
            '<' | '(' | '[' => depth = depth.saturating_sub(1),
            _ => {}
        }
        start = at;
    }
    Some(&path[start..end])
}

/// The type at the start of a path, and what follows it.
fn split_type(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        let arrow = letter == '>' && text[..at].ends_with('-');
        match letter {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if arrow => {}
            '>' if depth == 0 => return text.split_at(at),
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && text[at..].starts_with(" as ") => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

/// A path without the crates' marks.
pub(crate) fn shown(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('[') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find(']').map_or(after.len(), |end| end + 1);
        let mark = &after[1..end.saturating_sub(1).max(1)];
        let is_mark = !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !(is_mark && before.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
            out.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    out + rest
}

/// Whether a function is the one through which a thread-local is reached.
pub(crate) fn is_accessor(world: &World<'_>, path: &str, piece: Piece) -> bool {
    world.objects[piece.0]
        .relocations(piece.1)
        .any(|relocation| {
            let Some(symbol) = world.symbol(piece.0, &relocation) else {
                return false;
            };
            code::is_thread_local(relocation.kind)
                && symbol.kind == elf::STT_TLS
                && is_rust(symbol.name)
                && super::world::path(symbol.name)
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with("::"))
        })
}

/// What a plugin leaves behind in the program: code of its own that an object may lead to when the
/// plugin's functions have been replaced again. Each with what it must still be then.
pub(crate) fn left_alive(
    side: &Side<'_, '_>,
    facts: &Facts<'_>,
    taken: &dyn Fn(Piece) -> bool,
) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let paths = side.world.paths();
    for (path, pieces) in paths.filter(|(path, _)| is_of(path, facts.crates)) {
        let held = |piece: &Piece| {
            let mut users = side.users(*piece).iter();
            taken(*piece)
                && side.world.is_code(*piece)
                && !is_accessor(side.world, path, *piece)
                && !is_detached_body(path)
                && users.any(|(user, relocation)| {
                    taken(*user)
                        && side.world.usage(*user, relocation) != Use::Call
                        && !side.is_jump_table(*user, relocation, *piece)
                })
        };
        if pieces.iter().any(held) && !facts.bound.contains_key(&**path) {
            found.insert(path.to_string(), meaning(side, path, facts));
        }
    }
    found
}

/// Identifies what a piece of code does: it, and what it calls. Of closures' own bodies, only what
/// they call.
fn meaning(side: &Side<'_, '_>, path: &str, facts: &Facts<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let of_closure = is_closure(path, facts.crates);
    for reached in reach(side, path, facts) {
        if of_closure && is_closure(&reached, facts.crates) {
            continue;
        }
        reached.hash(&mut hasher);
        side.print_of(&side.code(&reached)).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether a path names one of the program's crates. What doesn't is the same in every compilation,
/// wherever its code happens to be found.
fn is_of(path: &str, crates: &HashSet<String>) -> bool {
    path.match_indices('[').any(|(end, _)| {
        let before = &path[..end];
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name = before.rsplit(|c: char| !is_name(c)).next();
        name.is_some_and(|name| crates.contains(name))
    })
}

/// Refuses if code that an earlier patch left alive differs now.
pub(crate) fn still_the_same(
    side: &Side<'_, '_>,
    facts: &Facts<'_>,
    left: &BTreeMap<String, u64>,
) -> Result<(), String> {
    for (path, then) in left {
        if !side.code(path).is_empty() && meaning(side, path, facts) != *then {
            return Err(format!(
                "`{}` came with an earlier patch and has no site: an object may still lead to its old code",
                shown(path)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_with_closures() {
        let check = |path: &str, function: Option<&str>| assert_eq!(function_of(path), function);
        check("app[1]::f::{closure#0}::{closure#1}", Some("app[1]::f"));
        check("<app[1]::S>::f::{closure#0}", Some("<app[1]::S>::f"));
        let of_trait = "<app[1]::S as app[1]::T<u8, fn() -> u8>>::f";
        check(&format!("{of_trait}::{{closure#0}}"), Some(of_trait));
        check(
            "core[2]::ptr::drop_in_place::<app[1]::f::<u8>::{closure#0}>",
            Some("app[1]::f::<u8>"),
        );
        check(
            "<&mut app[1]::f::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once",
            Some("app[1]::f"),
        );
        check("app[1]::f", None);
    }

    #[test]
    fn closures_and_what_is_made_for_them() {
        let crates = HashSet::from(["app".to_owned()]);
        let check = |path: &str| is_closure(path, &crates);
        for path in [
            "app[1]::f::{closure#0}",
            "<app[1]::S>::f::{closure#0}::{closure#1}",
            "core[2]::ptr::drop_in_place::<app[1]::f::{closure#0}>",
            "<app[1]::f::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
            "<core[2]::iter::Map<app[1]::I, app[1]::f::{closure#0}> as core[2]::iter::Iterator>::next",
        ] {
            assert!(check(path), "{path}");
        }
        for path in [
            "app[1]::f",
            "app[1]::spawn::<app[1]::f::{closure#0}>",
            "app[1]::f::{closure#0}::inner",
            "<app[1]::Handler<app[1]::f::{closure#0}> as core[2]::Trait>::run",
            "<app[1]::f::{closure#0} as app[1]::Handler>::handle",
            "<app[1]::Handler<app[1]::f::{closure#0}>>::handle",
            "core[2]::ptr::drop_in_place::<app[1]::S>",
        ] {
            assert!(!check(path), "{path}");
        }
    }

    #[test]
    fn moved_bodies() {
        assert!(is_detached_body(
            "<app[1]::S>::__soft_mock_body_f::{closure#0}"
        ));
        assert!(is_detached_body(
            "core[2]::ptr::drop_in_place::<app[1]::__soft_mock_body_f::{closure#0}>"
        ));
        assert!(!is_detached_body(
            "app[1]::__soft_mock_body_f::{closure#0}::{closure#1}"
        ));
        assert!(!is_detached_body("app[1]::f::{closure#0}"));
    }

    #[test]
    fn paths_are_shown_without_marks() {
        assert_eq!(
            shown("<app[c3a08f]::S<[u8; 3]> as core[0]::Tr>::f"),
            "<app::S<[u8; 3]> as core::Tr>::f"
        );
    }
}
