//! What a plugin leaves behind in the program: code that an object, a pointer or a closure may lead
//! to when the plugin's functions have been replaced again.
//!
//! The same for all ways in which a plugin is made. Knows nothing of files, nor of why it was
//! replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use soft_mock_abi::symbol::CARRIER;

use super::held::{holder, Holder};
use super::judge::{Judge, State};
use super::paths::{is_closure, is_detached_body, is_instance, marks_of, split_type};
use super::side::Side;
use super::withdrawn::{self, Brought};
use super::{Difference, Edits, Premises};
use crate::brought::asks_cell;
use crate::objects::Object;
use crate::sites::attached;
use crate::symbols::{is_of, path, without_marks};
use crate::world::{Piece, Target, World};

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
        let has_site = |path: &str| premises.bound.contains_key(path);
        let mut left = Self::default();
        left.look(side, premises.crates, (taken, rebound), &has_site);
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
    /// was built. `names`: what these are called in the plugin, and in the program.
    pub fn of_bodies(
        object: &[u8],
        crates: &HashSet<String>,
        optimised: bool,
        names: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
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
        let brought: HashSet<Rc<str>> = brought.filter_map(|piece| world.path_of(piece)).collect();
        let has_site = |path: &str| brought.contains(path);
        // Its debug information has lines alone, so nothing is known to be a vtable.
        left.look(&side, crates, (&|_| true, &|_, _| None), &has_site);
        if left.held.is_empty() {
            return Ok(left);
        }
        // What has code of its own is called, unless that was inlined all the same.
        let all = world.objects[0].described().map(path);
        let inlined =
            all.filter(|path| is_of(path, crates) && (optimised || side.code(path).is_empty()));
        let inlined: BTreeSet<String> = inlined.collect();
        for held in left.held.values_mut() {
            held.reach.extend(inlined.iter().cloned());
        }
        Ok(left)
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
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let names = |path: &str| path.split(|c: char| !is_word(c)).any(|word| word == name);
        let mut all = self.held.iter();
        all.any(|(path, held)| names(path) || held.reach.iter().any(|path| names(path)))
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

/// What was left, and what is compiled now.
struct Later<'a, 'd> {
    left: &'a Left,
    old: &'a Side<'a, 'd>,
    new: &'a Side<'a, 'd>,
    judge: Judge<'a>,
    own: HashSet<String>,
}

impl Later<'_, '_> {
    fn state(&self, path: &str) -> State {
        if let Some(state) = self.judge.of_site(path) {
            return state;
        }
        if self.is_own(path) {
            return self.own_state(path);
        }
        let is_code = |side: &Side<'_, '_>| !side.code(path).is_empty();
        let is_data = |side: &Side<'_, '_>| !is_code(side) && !side.world.pieces(path).is_empty();
        if is_data(self.old) || is_data(self.new) {
            return State::Same;
        }
        if !is_code(self.new) {
            // What isn't generic is nothing else either where all was undone.
            let is_undone = || self.judge.edits.undone && !is_code(self.old) && !is_instance(path);
            return match self.is_withdrawn(path) || is_undone() {
                true => State::Same,
                false => State::Gone,
            };
        }
        let then = match self.left.as_built {
            true if is_code(self.old) => Some(print(self.old, path)),
            true if self.judge.edits.only_bodies => return State::Same,
            _ => self.left.prints.get(path).copied(),
        };
        match then == Some(print(self.new, path)) {
            true => State::Same,
            false => State::Differs,
        }
    }

    fn is_withdrawn(&self, path: &str) -> bool {
        let (left, premises) = (self.left, self.judge.premises);
        left.brought.is_withdrawn(path, self.new.world, premises)
    }

    fn is_own(&self, path: &str) -> bool {
        !self.own.is_empty()
            && marks_of(path, self.judge.premises.crates)
                .iter()
                .any(|mark| self.own.contains(mark))
    }

    /// Of code that the plugin declares itself: an addition, or what stands in a body that it was
    /// compiled from. A closure keeps its body; what it leads to is looked at by itself. A function
    /// is known by its name and what is around it: the plugin may have it elsewhere.
    fn own_state(&self, path: &str) -> State {
        let crates = self.judge.premises.crates;
        if is_closure(path, crates) || is_detached_body(path) {
            return State::Same;
        }
        let path = self.left.path_in_crate(path);
        let mut parts = path.rsplitn(3, "::");
        let (Some(name), Some(around)) = (parts.next(), parts.next()) else {
            return State::Same;
        };
        let name = format!("::{name}");
        let end = format!("{around}{name}");
        let is_it = |other: &str| {
            let other = without_marks(other);
            let before = other.strip_suffix(&*end);
            before
                .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let found = |side: &Side<'_, '_>| -> HashMap<String, u64> {
            let all = side.world.paths().map(|(other, _)| other);
            let all = all.filter(|other| other.ends_with(&name) && is_it(other));
            all.filter(|other| !side.code(other).is_empty())
                .map(|other| (other.to_string(), print(side, other)))
                .collect()
        };
        match (found(self.old), found(self.new)) {
            // The plugin brought it, and nothing of it is left in the sources.
            (old, new) if old.is_empty() && new.is_empty() && !self.judge.edits.undone => {
                State::Gone
            }
            (old, new) if old == new => State::Same,
            _ => State::Differs,
        }
    }
}

fn print(side: &Side<'_, '_>, path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    side.print_of(&side.code(path)).hash(&mut hasher);
    hasher.finish()
}
