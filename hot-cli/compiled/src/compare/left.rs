//! What a plugin leaves behind in the program: code that an object, a pointer or a closure may lead
//! to when the plugin's functions have been replaced again.
//!
//! The same for all ways in which a plugin is made. Knows nothing of files, nor of why it was
//! replaced.

mod later;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use soft_mock_abi::symbol::{CARRIER, PATCH, PREFIX};

use super::held::{holder, Holder};
use super::judge::{Judge, State};
use super::paths::{is_closure, marks_of, split_type};
use super::side::Side;
use super::withdrawn::{self, Brought};
use super::{Difference, Edits, Premises};
use crate::brought::asks_cell;
use crate::objects::Object;
use crate::sites::attached;
use crate::symbols::{is_of, path, without_marks};
use crate::world::{Piece, Target, World};
use later::Later;

/// How the path of an async function's future ends.
const FUTURE: &str = "::{closure#0}";

/// What the slots of a vtable hold in a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebound {
    /// The program's own code.
    Program,
    /// A late site of that code.
    LateSite,
}

/// What a piece holds in place of the code of a path.
type Rebinds<'a> = dyn Fn(Piece, &str) -> Option<Rebound> + 'a;

/// What `tracing` declares at each event and span. A new one is registered as the former was, and
/// nothing is lost with that.
const REGISTERED: &str = "::__CALLSITE";

/// What a plugin leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// What may be held, by its path.
    held: BTreeMap<String, Held>,
    /// Stands for each piece of code in the plugin.
    prints: BTreeMap<String, u64>,
    /// What isn't the plugin's own is as the program was built with: it was compiled against that.
    as_built: bool,
    /// What functions are called in the plugin, and in the program.
    names: Vec<(String, String)>,
    /// What was known of the code of impls then.
    brought: Brought,
    /// Its code of functions that plugins have brought, which does what the site of each says.
    shared: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Held {
    holder: String,
    /// All code that it leads to, up to what has a site.
    reach: BTreeSet<String>,
    /// What only vtables of the plugin lead to it by, if that isn't the plugin's own code.
    by: Option<Rebound>,
}

impl Left {
    /// Of a plugin that holds these pieces of a compilation of whole crates. `late`: the paths of
    /// its code that late sites lead to.
    pub fn of_whole_crates<'p>(
        side: &Side<'_, '_>,
        premises: &Premises<'_>,
        (taken, rebound): (&dyn Fn(Piece) -> bool, &Rebinds<'_>),
        late: impl Iterator<Item = &'p str>,
    ) -> Self {
        let has_site =
            |path: &str| premises.bound.contains_key(path) || premises.brought.contains_key(path);
        let mut left = Self::default();
        left.look(side, premises.crates, (taken, rebound), &has_site);
        left.share(premises.brought.keys().map(String::as_str));
        for path in late {
            let code = side.code(path).first().copied();
            let reach = left.reach(side, premises.crates, (path, code), &has_site);
            left.held.entry(path.to_owned()).or_insert_with(|| Held {
                holder: Holder::Table.told(),
                reach,
                by: Some(Rebound::LateSite),
            });
        }
        for path in left.held.values().flat_map(|held| &held.reach) {
            left.brought.note(path, side.world, premises);
        }
        left
    }

    /// Of a plugin that was compiled from the bodies of functions alone, against the program as it
    /// was built; with it the first variable that one of the bodies declares, which would be
    /// another one than the program's. `names`: what the functions are called in the plugin, and in
    /// the program.
    pub fn of_bodies(
        object: &[u8],
        crates: &HashSet<String>,
        optimised: bool,
        names: Vec<(String, String)>,
    ) -> anyhow::Result<(Self, Option<String>)> {
        let world = World::new(vec![Object::read(object)?]);
        let side = Side::new(&world);
        let mut left = Self {
            as_built: true,
            names,
            ..Self::default()
        };
        // New functions with a site lead to what was patched last. Where something is optimised,
        // others may have become part of them.
        let brought = world
            .all()
            .filter(|piece| !optimised && asks_cell(&world, *piece));
        let brought: HashSet<Arc<str>> = brought.filter_map(|piece| world.path_of(piece)).collect();
        left.share(brought.iter().map(|path| &**path));
        let has_site = |path: &str| brought.contains(path);
        // Its debug information has lines alone, so nothing is known to be a vtable.
        left.look(&side, crates, (&|_| true, &|_, _| None), &has_site);
        let variable = variable_in_a_body(&side);
        if left.held.is_empty() {
            return Ok((left, variable));
        }
        // What has code of its own is called, unless that was inlined all the same.
        let all = world.objects[0].described().map(path);
        let inlined =
            all.filter(|path| is_of(path, crates) && (optimised || side.code(path).is_empty()));
        let inlined: BTreeSet<String> = inlined.collect();
        for held in left.held.values_mut() {
            held.reach.extend(inlined.iter().cloned());
        }
        Ok((left, variable))
    }

    /// Takes note of code that asks the site of its function, of an async one the future.
    fn share<'p>(&mut self, paths: impl Iterator<Item = &'p str>) {
        for path in paths {
            let function = path.strip_suffix(FUTURE).unwrap_or(path);
            let all = [path, function].map(str::to_owned);
            self.shared.extend(all);
        }
    }

    /// Whether its plugin was made of a compilation of whole crates.
    pub fn is_of_whole_crates(&self) -> bool {
        !self.as_built
    }

    /// The first of the code that was left, if a later patch would have to know of it.
    pub fn first(&self, crates: &HashSet<String>) -> Option<String> {
        let matters = |held: &&Held| held.reach.iter().any(|path| !is_closure(path, crates));
        let mut all = self.held.iter();
        let (path, _) = all.find(|(_, held)| matters(held))?;
        Some(without_marks(path))
    }

    /// The same of what is declared in the bodies of these functions, by their names alone.
    pub fn first_inside(
        &self,
        crates: &HashSet<String>,
        functions: &HashSet<&str>,
    ) -> Option<String> {
        let is_inside = |path: &String| {
            let plain = without_marks(path);
            let mut around = plain.rsplit("::").skip(1);
            !is_closure(path, crates) && around.any(|name| functions.contains(name))
        };
        let mut all = self.held.iter();
        let (path, _) = all.find(|(_, held)| held.reach.iter().any(is_inside))?;
        Some(without_marks(path))
    }

    /// Whether what may be held leads to something by this name.
    pub fn leads_to(&self, name: &str) -> bool {
        self.leads_somewhere(|path| names(path, name))
    }

    /// The same, but for functions that plugins bring: code that does what their sites say.
    pub fn leads_past_site(&self, name: &str) -> bool {
        self.leads_somewhere(|path| names(path, name) && !self.shared.contains(path))
    }

    fn leads_somewhere(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let mut all = self.held.iter();
        all.any(|(path, held)| is_it(path) || held.reach.iter().any(|path| is_it(path)))
    }

    /// Code without a site that stands in the plugin itself, by its name, as far as what may be
    /// held leads to it.
    pub fn copies(&self) -> impl Iterator<Item = String> + '_ {
        self.prints.keys().map(|path| without_marks(path))
    }

    /// The numbers of the closures and futures that it may hold and that keep their bodies, of the
    /// function that has this path, or this name in the plugin.
    pub fn closures_of(&self, function: &str) -> BTreeSet<usize> {
        let start = format!("{function}::{{closure#");
        let held = self.held.iter();
        let held = held.filter(|(_, held)| held.by != Some(Rebound::LateSite));
        let held = held.map(|(path, _)| attached(path));
        let numbers = held.filter_map(|path| {
            let (_, number) = path.split_once(&start)?;
            number.split('}').next()?.parse().ok()
        });
        numbers.collect()
    }

    fn look(
        &mut self,
        side: &Side<'_, '_>,
        crates: &HashSet<String>,
        (taken, rebound): (&dyn Fn(Piece) -> bool, &Rebinds<'_>),
        has_site: &dyn Fn(&str) -> bool,
    ) {
        let world = side.world;
        for user in world.all().filter(|piece| taken(*piece)) {
            for relocation in world.objects[user.0].relocations(user.1) {
                let Some(target) = world.target(user.0, &relocation) else {
                    continue;
                };
                let (path, piece) = match target {
                    Target::Piece(piece) if piece == user || !world.is_code(piece) => continue,
                    Target::Piece(piece) => (world.path_of(piece), Some(piece)),
                    Target::Outside(name) => (Some(world.path(name)), None),
                };
                let Some(path) = path.filter(|path| is_of(path, crates)) else {
                    continue;
                };
                let Some(holder) = holder(side, (&path, piece), (user, &relocation)) else {
                    continue;
                };
                let in_slot = world.code_in_slot(user.0, &relocation);
                let rebound = in_slot.and_then(|path| rebound(user, &path));
                if let Some(known) = self.held.get_mut(&*path) {
                    known.by = known.by.filter(|by| Some(*by) == rebound);
                    continue;
                }
                let reach = self.reach(side, crates, (&path, piece), has_site);
                self.held.insert(
                    path.to_string(),
                    Held {
                        holder: holder.told(),
                        reach,
                        by: rebound,
                    },
                );
            }
        }
    }

    /// All of our code that a piece leads to, itself and what has a site included.
    fn reach(
        &mut self,
        side: &Side<'_, '_>,
        crates: &HashSet<String>,
        (path, piece): (&str, Option<Piece>),
        has_site: &dyn Fn(&str) -> bool,
    ) -> BTreeSet<String> {
        let world = side.world;
        let mut found = BTreeSet::from([path.to_owned()]);
        let mut seen = HashSet::new();
        let mut waiting: Vec<Piece> = piece.into_iter().collect();
        while let Some(piece) = waiting.pop() {
            if !seen.insert(piece) {
                continue;
            }
            if let Some(path) = world.path_of(piece) {
                if !world.is_code(piece) {
                    continue;
                }
                let ours = world.paths_of(piece).filter(|path| is_of(path, crates));
                found.extend(ours.map(|path| path.to_string()));
                if has_site(&path) {
                    continue;
                }
                for path in world.paths_of(piece) {
                    let prints = self.prints.entry(path.to_string());
                    prints.or_insert_with(|| print(side, &path));
                }
            }
            for relocation in world.objects[piece.0].relocations(piece.1) {
                match world.target(piece.0, &relocation) {
                    Some(Target::Piece(next)) => waiting.push(next),
                    Some(Target::Outside(name)) if is_of(&world.path(name), crates) => {
                        found.insert(world.path(name).to_string());
                    }
                    Some(Target::Outside(_)) | None => {}
                }
            }
        }
        found
    }

    /// Code of the program that only vtables of the plugin lead to.
    pub fn of_the_program(&self) -> impl Iterator<Item = &str> {
        let all = self.held.iter();
        let all = all.filter(|(_, held)| held.by == Some(Rebound::Program));
        all.map(|(path, _)| path.as_str())
    }

    /// Refuses if what was left may not live on beside the new code. `edits`: those since;
    /// `difference`: from the program as it was built.
    pub fn check<'d>(
        &self,
        (old, new): (&Side<'_, 'd>, &Side<'_, 'd>),
        premises: &Premises<'_>,
        edits: &Edits,
        difference: &Difference,
    ) -> Result<(), String> {
        let later = Later {
            left: self,
            old,
            new,
            judge: Judge {
                premises,
                edits,
                holds_edited: !edits.only_bodies && premises.shares_code,
            },
            own: self.own_marks(old, premises),
        };
        for (path, held) in &self.held {
            let becomes_new = difference.late.contains(path.as_str());
            let becomes_original = !difference.stale.contains(path.as_str());
            match held.by {
                Some(_) if becomes_new => continue,
                // Its site leads to the original again.
                Some(Rebound::LateSite) if becomes_original => continue,
                _ => {}
            }
            let is_withdrawn = later.is_withdrawn(path);
            let reached = held.reach.iter().map(|path| {
                let state = match later.state(path) {
                    // Nothing else leads there, and nothing could take its place.
                    State::Gone if is_withdrawn && withdrawn::is_removed(path, premises) => {
                        State::Same
                    }
                    state => state,
                };
                (path.as_str(), state)
            });
            if let Some(culprit) = later.judge.culprit(path, reached) {
                let told = culprit.told(path, &held.holder, &|path| later.is_own(path));
                let told = self.with_names(told);
                return Err(format!("{told} (it came with an earlier patch)"));
            }
        }
        Ok(())
    }

    /// A text in which functions have the names that they have in the program.
    fn with_names(&self, text: String) -> String {
        self.names.iter().fold(text, |text, (own, name)| {
            let text = text.replace(&format!("::{own}::"), &format!("::{name}::"));
            text.replace(&format!("`{own}`"), &format!("`{name}`"))
        })
    }

    /// The path that code of the plugin has in its crate: functions have their own names there, and
    /// methods stand in no trait that carries them.
    fn path_in_crate(&self, path: &str) -> String {
        let mut path = self.with_names(without_marks(path) + "::");
        path.truncate(path.len() - "::".len());
        let inside = path.strip_prefix('<').map(split_type);
        let carried = inside.and_then(|(ty, rest)| {
            let (of_trait, rest) = split_type(rest.strip_prefix(" as ")?);
            let name = of_trait.rsplit("::").next()?;
            name.starts_with(CARRIER).then(|| format!("<{ty}{rest}"))
        });
        carried.unwrap_or(path)
    }

    /// The marks of the plugin's own crate: a program has others.
    fn own_marks(&self, old: &Side<'_, '_>, premises: &Premises<'_>) -> HashSet<String> {
        if !self.as_built {
            return HashSet::new();
        }
        let all = self.held.values().flat_map(|held| &held.reach);
        let mut own: HashSet<String> = all
            .flat_map(|path| marks_of(path, premises.crates))
            .collect();
        for (path, _) in old.world.paths() {
            for mark in marks_of(path, premises.crates) {
                own.remove(&mark);
            }
        }
        own
    }
}

/// Whether a path has a name in it.
fn names(path: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    path.split(|c: char| !is_word(c)).any(|word| word == name)
}

/// The first variable in a body, whoever declares it there: macros of any crate do.
fn variable_in_a_body(side: &Side<'_, '_>) -> Option<String> {
    let world = side.world;
    let variables = world.all().filter(|(object, section)| {
        let section = &world.objects[*object].sections[*section];
        section.is_state()
    });
    let mut paths = variables.flat_map(|piece| world.paths_of(piece));
    let found = paths.find(|path| {
        let Some((body, name)) = path.rsplit_once("::") else {
            return false;
        };
        let is_in_a_body = body.contains(PATCH) || !side.code(body).is_empty();
        is_in_a_body && !name.starts_with(PREFIX) && !path.contains(REGISTERED)
    })?;
    Some(without_marks(&found))
}

fn print(side: &Side<'_, '_>, path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    side.print_of(&side.code(path)).hash(&mut hasher);
    hasher.finish()
}
