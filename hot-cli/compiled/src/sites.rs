//! The sites in compiled code: which functions have one, and what their types are.
//!
//! Reads the statics that the prologues left, by the layout of `soft_mock_abi::site`.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

use soft_mock_abi::site::flag::{ASYNC, MAIN};
use soft_mock_abi::site::has_opaque_result;
use soft_mock_abi::site::offset::{FLAGS, LINE, NAME, SIGNATURE, TYPE_ID};
use soft_mock_abi::symbol::{
    DETACHED_BODY, DETACHED_CHECK, DETACHED_CODE, DETACHED_OUTPUT, DETACHED_TYPE, SITE,
};

use crate::world::{Piece, Target, World};

/// The size of the static.
const SIZE: usize = size_of::<soft_mock_abi::site::Site>();

/// A function with a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledSite {
    /// The path of the static.
    pub path: Arc<str>,
    /// The name of the site.
    pub name: String,
    /// The line of the function.
    pub line: u32,
    /// The signature, as text.
    pub signature: String,
    /// The path of the function that answers with the id of the site's type.
    type_id: Option<Arc<str>>,
    /// See [`detached`](Self::detached).
    detached: String,
    /// The body was moved.
    is_moved: bool,
    /// What a result with `impl Trait` in it is, as the end of an instance's path: several where
    /// it can't be told.
    output: Vec<String>,
    /// Its code returns a boxed future.
    pub is_async: bool,
    /// It is the program's main function: it is called once.
    pub is_main: bool,
}

impl CompiledSite {
    /// The path of the code that holds the prologue: the function, or the future of an async one.
    pub fn owner(&self) -> &str {
        owner(&self.path).unwrap_or(&self.path)
    }

    /// The path that the code that replaces the function has if its body was moved.
    pub fn detached(&self) -> &str {
        &self.detached
    }

    /// The path of the future of a moved body.
    pub fn detached_future(&self) -> String {
        self.detached.replace(DETACHED_CODE, DETACHED_BODY) + "::{closure#0}"
    }

    /// The paths of the functions that compare the type of a function which plugins bring with that
    /// of its site, and that say it.
    pub fn of_type(&self) -> [String; 2] {
        [DETACHED_CHECK, DETACHED_TYPE].map(|start| self.detached.replace(DETACHED_CODE, start))
    }

    /// The path of the function that returns the future with the prologue, if a macro made it so.
    pub fn returning(&self) -> Option<&str> {
        let function = self.owner().strip_suffix("::{closure#0}");
        function.filter(|_| self.is_async && !self.is_moved)
    }

    /// Whether the code that holds the prologue is the function itself: a macro may have put the
    /// body into a closure.
    pub fn is_function(&self) -> bool {
        self.is_async || !self.owner().ends_with('}')
    }

    /// Whether code for the one can be called through the other.
    pub fn has_type_of(&self, other: &Self) -> bool {
        self.signature == other.signature
            && self.type_id == other.type_id
            && self.is_async == other.is_async
            && self.output == other.output
            && (!has_opaque_result(&self.signature) || self.has_known_output())
    }

    /// Whether its parameters or its result are others than those of an earlier site of the same
    /// path.
    pub fn is_resigned(&self, then: &Self) -> bool {
        self.signature != then.signature
            || self.type_id != then.type_id
            || self.is_async != then.is_async
    }

    /// Whether there is one that an edit of a body leaves as it is: closures and futures are other
    /// types then. It is also what the prologue returns. Nothing but the function's result says
    /// what that is, and the compiler takes it for the same type, also where references, pointers
    /// and boxes of other types are coerced to the result.
    fn has_known_output(&self) -> bool {
        matches!(self.output.as_slice(), [output]
            if !output.is_empty() && !output.contains("{closure#"))
    }
}

/// The path of the code whose site has the path `site`.
pub fn owner(site: &str) -> Option<&str> {
    site.strip_suffix(SITE)?.strip_suffix("::")
}

/// A path as it is where bodies stay where they are.
pub fn attached(path: &str) -> String {
    path.replace(DETACHED_BODY, "").replace(DETACHED_CODE, "")
}

/// All sites, by the paths of the code that holds them.
pub fn sites<'d>(
    world: &World<'d>,
    objects: &dyn Fn(usize) -> bool,
) -> HashMap<String, CompiledSite> {
    let all = world.paths().filter(|(path, _)| owner(path).is_some());
    // Goes through all paths: not before there is such a function.
    let outputs = LazyCell::new(|| outputs(world));
    all.filter_map(|(path, pieces)| {
        let piece = pieces.iter().find(|piece| objects(piece.0))?;
        let mut site = read(world, *piece, path)?;
        if has_opaque_result(&site.signature) {
            site.output = outputs.get(site.detached()).cloned().unwrap_or_default();
        }
        Some((site.owner().to_owned(), site))
    })
    .collect()
}

/// Says of which function with an `impl Trait` as its result the site can't be used, and why: the
/// code that differs is its own. `differs`: whether there is code of a path, and it is another one
/// now.
pub fn unusable_result(
    then: &HashMap<String, CompiledSite>,
    now: &HashMap<String, CompiledSite>,
    differs: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let opaque = now
        .iter()
        .filter(|(_, site)| has_opaque_result(&site.signature));
    let both = opaque.filter_map(|(owner, site)| Some((site, then.get(owner)?)));
    let told = both.filter_map(|(site, then)| {
        let name = &site.name;
        if site.output != then.output {
            return Some(format!("what `{name}` returns is of another type now: "));
        }
        (!site.has_known_output() && differs(&site.detached_future())).then(|| {
            format!(
                "`{name}` returns a closure or a future as `impl …`, so its site can't be used: "
            )
        })
    });
    told.min()
}

/// The path of the code that replaces a function if its body was moved: beside the function, which
/// a macro may have put elsewhere than into the module in which it is written.
fn detached(world: &World<'_>, owner: &str, name: &str) -> String {
    let mut function = owner;
    // A macro may have put the body of an async function into a future of its own.
    while let Some((outer, closure)) = function.rsplit_once("::") {
        match closure.starts_with("{closure#") {
            true => function = outer,
            false => break,
        }
    }
    let beside = |function: &str| {
        let (module, name) = function.rsplit_once("::").unwrap_or(("", function));
        format!("{module}::{DETACHED_CODE}{name}")
    };
    let here = beside(function);
    let written = as_written(owner, name).map(|function| beside(&function));
    match written {
        Some(written) if world.pieces(&here).is_empty() && !world.pieces(&written).is_empty() => {
            written
        }
        _ => here,
    }
}

/// The path that a free function has by its name, `app::pages::index`, with the crate's mark.
fn as_written(owner: &str, name: &str) -> Option<String> {
    let (of, rest) = name.split_once("::").filter(|_| !name.contains('<'))?;
    let start = format!("{of}[");
    let is_start = |at: &usize| {
        let before = owner[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    let at = owner
        .match_indices(&start)
        .map(|(at, _)| at)
        .find(is_start)?;
    let mark = owner[at..].find(']')?;
    Some(format!("{}::{rest}", &owner[at..=at + mark]))
}

/// The types that results of `impl Trait` are, by the paths of the code that replaces the
/// functions.
fn outputs(world: &World<'_>) -> HashMap<String, Vec<String>> {
    let mark = format!("::{DETACHED_OUTPUT}::<");
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for (path, _) in world.paths() {
        if let Some((code, output)) = path.split_once(&mark) {
            found
                .entry(code.to_owned())
                .or_default()
                .push(output.to_owned());
        }
    }
    found
}

fn read(world: &World<'_>, piece: Piece, path: &Arc<str>) -> Option<CompiledSite> {
    let symbol = world
        .symbols_in(piece)
        .iter()
        .find(|name| world.path(name) == *path)?;
    let (_, index) = world.definition(symbol)?;
    // All sites of an object can share their section.
    let start = usize::try_from(world.objects[piece.0].symbols[index].value).ok()?;
    let object = &world.objects[piece.0];
    let data = object.data.get(object.sections[piece.1].file.clone())?;
    let data = data.get(start..start + SIZE)?;
    let number = |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?));
    let flags = number(FLAGS)?;
    let relocations: Vec<_> = object.relocations(piece.1).collect();
    let at = |field: usize| {
        relocations
            .iter()
            .find(|found| found.offset == start + field)
    };
    let text = |field: usize| -> Option<String> {
        let length = u64::from_le_bytes(data.get(field + 8..field + 16)?.try_into().ok()?) as usize;
        if length == 0 {
            return Some(String::new());
        }
        let relocation = at(field)?;
        let Target::Piece(holder) = world.target(piece.0, relocation)? else {
            return None;
        };
        let from = world.symbol(piece.0, relocation)?.value as i64 + relocation.addend;
        let from = usize::try_from(from).ok()?;
        let found = &world.objects[holder.0];
        let bytes = found.data.get(found.sections[holder.1].file.clone())?;
        String::from_utf8(bytes.get(from..from + length)?.to_vec()).ok()
    };
    let type_id = match at(TYPE_ID) {
        Some(relocation) => Some(world.path(world.symbol(piece.0, relocation)?.name)),
        None => None,
    };
    let name = text(NAME)?;
    let detached = detached(world, owner(path)?, &name);
    Some(CompiledSite {
        path: Arc::clone(path),
        is_moved: !world.pieces(&detached).is_empty(),
        detached,
        name,
        line: number(LINE)?,
        signature: text(SIGNATURE)?,
        type_id,
        output: Vec::new(),
        is_async: flags & ASYNC != 0,
        is_main: flags & MAIN != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_can_be_told() {
        let check = |output: &[&str], expected: bool| {
            let end = |ty: &&str| format!("{ty}>");
            let site = CompiledSite {
                path: "app[1]::f::{closure#0}::__SOFT_MOCK_SITE".into(),
                name: "app::f".to_owned(),
                line: 1,
                signature: "async fn() -> impl Display".to_owned(),
                type_id: None,
                detached: String::new(),
                is_moved: true,
                output: output.iter().map(end).collect(),
                is_async: true,
                is_main: false,
            };
            assert_eq!(site.has_type_of(&site), expected, "{output:?}");
        };
        for told in [
            "u8",
            "alloc[2]::string::String",
            "(u8, &str)",
            "&str",
            "*const u8",
            "for<'a> fn(&'a u8)",
            "alloc[2]::boxed::Box<dyn core[2]::fmt::Display>",
        ] {
            check(&[told], true);
        }
        check(&["core[2]::result::Result<&str, app[1]::Error>"], true);
        check(&[], false);
        check(&["u8", "u16"], false);
        check(&["core[2]::iter::Map<u8, app[1]::f::{closure#0}>"], false);
        check(&["alloc[2]::boxed::Box<app[1]::f::{closure#0}>"], false);
    }
}
