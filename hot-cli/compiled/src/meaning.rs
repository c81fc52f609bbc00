//! Whether functions that were compiled alone, in a micro-crate, mean what they mean in their
//! crate.
//!
//! ```text
//! alone:           __soft_mock_patch_0 ─► app::limits::MAX, <Vec<u8>>::len, "full"
//! in its crate:    app::store::put     ─► app::limits::MAX, <app::store::Ring>::len, "full"     another `len`
//! ```
//!
//! Both are compiled from the same text without optimisation, so a function's code refers to the
//! same things, if its names do. Compared is what each refers to: functions and statics by path,
//! nameless constants and vtables by what they hold, numbers that stand in instructions; of the
//! function, and of the closures and functions in it. Not compared are the order, drop glue (the
//! check at the start of the one in the crate moves parameters) and where panics say they are.
//!
//! Knows nothing of why a name means something else.

mod facts;
mod names;

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use soft_mock_abi::symbol::{ASYNC_BODY, DETACHED_BODY, DETACHED_CODE, PATCH, PREFIX, SITE};

use crate::brought::asks_cell;
use crate::objects::{self, Object};
use crate::sites::{self, CompiledSite};
use crate::symbols::{self, is_rust, without_marks};
use crate::world::{Piece, World};
use facts::Reader;
use names::Names;

/// A function to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// Its position in the micro-crate.
    pub position: usize,
    /// The name of its site.
    pub name: &'a str,
    /// Its line in the sources that the crate was compiled from.
    pub line: usize,
}

/// What was found of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It means the same.
    Same,
    /// It refers to something else.
    Other(Difference),
    /// It can't be compared; why.
    Unknown(String),
}

/// What a function refers to in one of the two compilations alone, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the micro-crate.
    pub alone: Vec<String>,
    /// In its crate.
    pub in_crate: Vec<String>,
}

/// The crate as rustc compiled it, with sites.
pub struct Own<'d> {
    world: World<'d>,
    sites: HashMap<(String, usize), Vec<CompiledSite>>,
}

impl<'d> Own<'d> {
    /// Reads a library.
    pub fn read(library: &'d [u8]) -> Result<Self> {
        let mut all = Vec::new();
        objects::read(library, &mut all)?;
        let world = World::new(all);
        let mut sites: HashMap<_, Vec<CompiledSite>> = HashMap::new();
        for (_, site) in sites::sites(&world, &|_| true) {
            let key = (site.name.clone(), site.line as usize);
            sites.entry(key).or_default().push(site);
        }
        Ok(Self { world, sites })
    }

    /// Compares functions of a micro-crate, whose object this is.
    pub fn compare(&self, object: &[u8], functions: &[Function<'_>]) -> Result<Vec<Meaning>> {
        let roots: Vec<Result<Root, String>> = functions.iter().map(|f| self.root(f)).collect();
        let names = functions
            .iter()
            .zip(&roots)
            .filter_map(|(function, root)| Some((function.position, root.as_ref().ok()?)));
        let names: HashMap<String, String> = names
            .map(|(position, root)| (root.alone(position), root.path.clone()))
            .collect();
        let object = Object::read(object)?;
        let names = Names::new(names, &object, &self.world);
        let symbols = object.symbols.iter().map(|symbol| symbol.name);
        let new = symbols.filter(|name| is_rust(name)).filter_map(|name| {
            let path = symbols::path(name);
            names.is_new(&path).then(|| names.in_crate(path))
        });
        let mut new: BTreeSet<String> = new.filter(|path| !self.is_async(path)).collect();
        let alone = World::renamed(vec![object], move |path| names.in_crate(path));
        // Those with a site are compared by themselves.
        for piece in alone.all().filter(|piece| asks_cell(&alone, *piece)) {
            alone.path_of(piece).map(|path| new.remove(&*path));
        }
        let (alone, own) = (Reader::new(&alone), Reader::new(&self.world));
        let meaning = |root: Result<Root, String>| match root {
            Ok(root) => compared(&alone, &own, &root, &new),
            Err(why) => Meaning::Unknown(why),
        };
        Ok(roots.into_iter().map(meaning).collect())
    }

    /// Whether the code of a function holds no body: that is elsewhere in the crate.
    fn is_async(&self, path: &str) -> bool {
        let mut sites = self.sites.values().flatten();
        sites.any(|site| site.is_async && site.owner().starts_with(path))
    }

    /// The code in the crate that the function's body was compiled to.
    fn root(&self, function: &Function<'_>) -> Result<Root, String> {
        let sites = self.sites.get(&(function.name.to_owned(), function.line));
        let [site] = sites.map_or(&[][..], Vec::as_slice) else {
            return Err(match sites {
                None => "the crate has no code of it".to_owned(),
                Some(_) => "the crate has several functions of its name".to_owned(),
            });
        };
        let code = site.detached();
        let body = code.replace(DETACHED_CODE, DETACHED_BODY);
        let has_code = |path: &&str| !code_of(&self.world, path).is_empty();
        let path = [body.as_str(), code, site.owner()]
            .into_iter()
            .find(has_code);
        let path = path.filter(|path| !path.ends_with('}'));
        Ok(Root {
            path: path.ok_or("a macro moved its body")?.to_owned(),
            is_async: site.is_async,
        })
    }
}

/// A function's own code in its crate.
struct Root {
    path: String,
    is_async: bool,
}

impl Root {
    /// The name of the same code in the micro-crate.
    fn alone(&self, position: usize) -> String {
        match self.is_async {
            true => format!("{ASYNC_BODY}{position}"),
            false => format!("{PATCH}{position}"),
        }
    }
}

/// All of it but what leads to the body of a function by way of its site.
fn code_of(world: &World<'_>, path: &str) -> Vec<Piece> {
    let pieces = world.pieces(path).iter().copied();
    let pieces = pieces.filter(|piece| world.is_code(*piece));
    pieces.filter(|piece| !asks_cell(world, *piece)).collect()
}

/// Compares the code of a function, of all that is declared in it, and of what is new in the
/// micro-crate and used by it.
fn compared(
    alone: &Reader<'_, '_>,
    own: &Reader<'_, '_>,
    root: &Root,
    new: &BTreeSet<String>,
) -> Meaning {
    if code_of(alone.world, &root.path).is_empty() {
        return Meaning::Unknown("the micro-crate has no code of it".to_owned());
    }
    let mut found = Difference::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut waiting = vec![root.path.clone()];
    while let Some(root_path) = waiting.pop() {
        if !seen.insert(root_path.clone()) {
            continue;
        }
        let (then, now) = (parts(alone.world, &root_path), parts(own.world, &root_path));
        for part in &then {
            for piece in code_of(alone.world, part) {
                let facts = alone.facts(piece);
                waiting.extend(
                    facts
                        .names()
                        .filter(|name| new.contains(*name))
                        .map(str::to_owned),
                );
            }
        }
        found
            .alone
            .extend(then.difference(&now).map(|part| without_marks(part)));
        found
            .in_crate
            .extend(now.difference(&then).map(|part| without_marks(part)));
        for part in then.intersection(&now) {
            let first = first_difference(alone, own, part, root.is_async);
            found.alone.extend(first.alone);
            found.in_crate.extend(first.in_crate);
        }
    }
    match found == Difference::default() {
        true => Meaning::Same,
        false => Meaning::Other(found),
    }
}

/// How the code of a path differs, if none of the copies that the crate's objects have is the same.
/// What an object has more than once are functions of one name in one body: the first is compared
/// with the first.
fn first_difference(
    alone: &Reader<'_, '_>,
    own: &Reader<'_, '_>,
    path: &str,
    is_async: bool,
) -> Difference {
    let (then, now) = (code_of(alone.world, path), code_of(own.world, path));
    let mut found = None;
    for copy in now.chunk_by(|one, other| one.0 == other.0) {
        let mut differs = Difference::default();
        if copy.len() != then.len() {
            differs.in_crate.push(without_marks(path));
        }
        for (piece, own_piece) in then.iter().zip(copy) {
            let one = difference((alone, *piece), (own, *own_piece), is_async);
            differs.alone.extend(one.alone);
            differs.in_crate.extend(one.in_crate);
        }
        if differs == Difference::default() {
            return differs;
        }
        found.get_or_insert(differs);
    }
    found.unwrap_or_default()
}

/// What two pieces refer to that the other one doesn't. What was put into the code of the crate, as
/// its debug information says, is looked for there.
fn difference(
    (alone, alone_piece): (&Reader<'_, '_>, Piece),
    (own, own_piece): (&Reader<'_, '_>, Piece),
    is_async: bool,
) -> Difference {
    let (mut then, now) = (alone.facts(alone_piece), own.facts(own_piece));
    let mut inlined: BTreeSet<String> = BTreeSet::new();
    loop {
        // What the micro-crate has code of is generic or inline.
        let is_new = |name: &&str| {
            !now.refers_to(name)
                && !inlined.contains(*name)
                && !code_of(alone.world, name).is_empty()
                && own.describes(own_piece, name)
        };
        let new: Vec<String> = then.names().filter(is_new).map(str::to_owned).collect();
        if new.is_empty() {
            break;
        }
        for name in new {
            for piece in code_of(alone.world, &name) {
                then.add(alone.facts(piece));
            }
            inlined.insert(name);
        }
    }
    // Futures have other sizes in the crate: there they hold no bodies. And the check at the start
    // of a function may bring numbers of its own.
    let numbers = inlined.is_empty() && !is_async && then.has_other_numbers(&now);
    Difference {
        alone: then.without(&now, numbers, &inlined),
        in_crate: now.without(&then, numbers, &inlined),
    }
}

/// The paths of a function's code and of what is declared in it, but for what the rewriter adds.
fn parts(world: &World<'_>, root: &str) -> BTreeSet<String> {
    let inner = |path: &str| {
        let rest = path.strip_prefix(root);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || (rest.starts_with("::") && !rest.contains(PREFIX) && !rest.contains(SITE))
        })
    };
    let all = world.paths().map(|(path, _)| path);
    all.filter(|path| inner(path) && !code_of(world, path).is_empty())
        .map(|path| path.to_string())
        .collect()
}
