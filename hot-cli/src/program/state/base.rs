//! What runs as the base of further edits: those that reached others, and are in effect. Bodies
//! that don't depend on them are compiled as if they were not there, and what depends on them as
//! it was.
//!
//! Knows nothing of how what is in effect was compiled.

use soft_mock_rewriter::analysis::{is_skipped, Declaration, ItemKind};
use soft_mock_rewriter::diff::{Addition, Additions, Influence, Source, Turn};
use soft_mock_rewriter::syntax::{contains, Names, Owner};

use super::additions::{source, FileNow};
use super::compare::{by_content, Found};
use super::*;
use crate::program::plan::Plan;

/// What of the files is in effect.
#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    /// Edits that reached others.
    indirect: BTreeSet<(PathBuf, String, Fingerprint)>,
    /// The bodies that aren't those that the program was built with.
    bodies: BTreeMap<SiteKey, (Fingerprint, Fingerprint)>,
}

impl Base {
    /// After this patch, or after it was found that it changes nothing. `whole_crate`: it brought
    /// all that was wanted, compiled as whole crates.
    pub(super) fn after(before: Option<&Self>, wanted: &Wanted, whole_crate: bool) -> Option<Self> {
        let own = wanted.indirect.iter();
        let indirect = match whole_crate {
            true => own.chain(&wanted.additions).map(by_content).collect(),
            false => {
                before?;
                own.map(by_content).collect()
            }
        };
        let bodies = wanted.bodies.iter();
        let bodies = bodies.filter(|(_, function)| function.brought.is_none());
        Some(Self {
            indirect,
            bodies: bodies
                .map(|(site, function)| (site.clone(), function.content()))
                .collect(),
        })
    }

    /// Whether an edit is in effect.
    pub(super) fn has(&self, edit: &Edit) -> bool {
        self.indirect.contains(&by_content(edit))
    }

    /// Whether there is anything but bodies, and all of it stands in the files; what can be carried
    /// may have changed.
    fn stands_beside(&self, found: &Found, portable: &[Portable<'_>]) -> bool {
        let now: BTreeSet<_> = found.indirect.iter().map(by_content).collect();
        let is_portable = |file: &PathBuf, what: &String| {
            let mut same = portable.iter().filter(|one| one.is_at(file, what));
            // Of several with one name it can't be told which is which.
            same.next().is_some() && same.next().is_none()
        };
        let stands = |edit: &(PathBuf, String, Fingerprint)| {
            now.contains(edit) || is_portable(&edit.0, &edit.1)
        };
        !self.indirect.is_empty() && self.indirect.iter().all(stands)
    }
}

/// Something new that can be carried with the bodies that use it.
struct Portable<'a> {
    edit: &'a Edit,
    /// The names by which code gets to it.
    names: Vec<String>,
}

impl Portable<'_> {
    fn is_at(&self, file: &Path, what: &str) -> bool {
        self.edit.file == file && self.edit.what == what
    }
}

/// A function that is to get another body, and what its text mentions.
struct Wish<'a> {
    position: usize,
    function: PlannedFunction,
    mentions: Vec<&'a Names>,
}

impl ProgramState {
    /// Plans bodies on top of what is in effect, if what reaches others is, and if neither they nor
    /// the additions beside them depend on that. Additions that were compiled with it are carried
    /// once more where they are used, or where they have changed.
    pub(super) fn roll_on(&self, found: &mut Found) -> bool {
        let (Some(base), Some(files)) = (&self.base, self.texts_now()) else {
            return false;
        };
        let portable = portable(found, &files);
        if !base.stands_beside(found, &portable) {
            return false;
        }
        let new = found.indirect.iter().filter(|edit| !base.has(edit));
        let mut carried: BTreeSet<Edit> = new.cloned().collect();
        loop {
            let of = |wanted: &dyn Fn(&Edit) -> bool| -> Vec<Source<'_>> {
                let sources = files.iter().map(|file| source(file, found, wanted));
                sources.collect()
            };
            let in_effect = of(&|edit| !carried.contains(edit));
            let has_site = |unit: usize, function: &DeclaredFunction| self.has_site(unit, function);
            let Some(influence) = Influence::of(&in_effect, &has_site) else {
                return false;
            };
            let Ok(additions) = Additions::of(&of(&|edit| carried.contains(edit))) else {
                return false;
            };
            let mut bodies = found.bodies.clone();
            self.with_reached(&additions, &files, &found.declared, &mut bodies);
            let Some(wishes) = self.wishes(base, &bodies, &files) else {
                return false;
            };
            let wished = wishes.iter();
            let wished = wished.map(|wish| (wish.position, wish.function.name.clone()));
            if self.is_other_alone(wished) {
                return false;
            }
            let mentions = wishes.iter().flat_map(|wish| wish.mentions.iter().copied());
            let mentions = mentions.chain(additions.all.iter().map(Addition::mentions));
            let dependent: Vec<&Names> =
                mentions.filter(|names| influence.reaches(names)).collect();
            if dependent.is_empty() {
                self.plan(wishes, &mut found.plan);
                found.bodies = bodies;
                self.plan_additions(&additions, &files, found);
                found.indirect.retain(|edit| !carried.contains(edit));
                found.additions = carried;
                found.on_top = true;
                return true;
            }
            let is_mentioned = |name: &String| dependent.iter().any(|names| contains(names, name));
            let again = portable
                .iter()
                .filter(|one| !carried.contains(one.edit) && one.names.iter().any(is_mentioned));
            let again: Vec<Edit> = again.map(|one| one.edit.clone()).collect();
            if again.is_empty() {
                return false;
            }
            carried.extend(again);
        }
    }

    fn plan(&self, wishes: Vec<Wish<'_>>, plan: &mut Plan) {
        for wish in wishes {
            let unit = plan.entry(wish.position).or_default();
            let path = &wish.function.file;
            // A body that is again what was compiled may stand on another line than then.
            if let Some(file) = self.changed_file(wish.position, path) {
                unit.files
                    .entry(path.clone())
                    .or_insert_with(|| file.clone());
            }
            unit.patch.push(wish.function);
        }
    }

    fn has_site(&self, unit: usize, function: &DeclaredFunction) -> bool {
        let unit = &self.program.units[unit].unit;
        let name = function.site_name(&unit.crate_name);
        function.kind.is_ok() && !unit.is_without_site(&name) && !is_skipped(&unit.skip, &name)
    }

    /// The functions that are to get another body than they have in effect. `None`: one of them
    /// can't be found.
    fn wishes<'a>(
        &self,
        base: &Base,
        bodies: &BTreeMap<SiteKey, PlannedFunction>,
        files: &'a [FileNow<'_>],
    ) -> Option<Vec<Wish<'a>>> {
        let differs = bodies
            .iter()
            .filter(|(site, function)| base.bodies.get(*site) != Some(&function.content()))
            .map(|(site, _)| site);
        let undone = base
            .bodies
            .keys()
            .filter(|site| !bodies.contains_key(*site));
        let wishes = differs.chain(undone).map(|site| {
            let crate_name = &self.program.units[site.0].unit.crate_name;
            let (file, function) = files
                .iter()
                .filter(|file| file.position == site.0)
                .flat_map(|file| file.items.functions.iter().map(move |f| (file, f)))
                .find(|(_, function)| function.site_name(crate_name) == site.1)?;
            let header = file.items.header_of(function);
            let header = header.map(|header| &header.mentions);
            let here = planned(crate_name, &file.items.path, function);
            Some(Wish {
                position: site.0,
                function: bodies.get(site).cloned().unwrap_or(here),
                mentions: [&function.mentions.all].into_iter().chain(header).collect(),
            })
        });
        wishes.collect()
    }
}

/// The edits that could be additions.
fn portable<'a>(found: &'a Found, files: &[FileNow<'_>]) -> Vec<Portable<'a>> {
    let added = found.found.iter().filter_map(|(unit, path, edit, turned)| {
        let mut files = files.iter();
        let file = files.find(|file| file.position == *unit && file.items.path == *path)?;
        match turned.turn {
            Some(Turn::Added(added)) => Some((file.items, added, edit)),
            _ => None,
        }
    });
    let types = added.clone().filter_map(|(items, added, _)| match added {
        Declaration::Item(at) => Some(&items.items[at]).filter(|item| item.kind.has_layout()),
        _ => None,
    });
    let types: BTreeSet<&str> = types.map(|item| &*item.name).collect();
    let all = added.map(|(items, added, edit)| Portable {
        edit,
        names: names_of(items, added, &types),
    });
    all.filter(|one| !one.names.is_empty()).collect()
}

/// The names by which code gets to something new that may be an addition. What belongs to one of
/// the new `types` comes with it.
fn names_of(items: &FileItems, added: Declaration, types: &BTreeSet<&str>) -> Vec<String> {
    let of_new_type = |owner: &Owner| owner.type_name().filter(|name| types.contains(&**name));
    match added {
        Declaration::Function(at) => {
            let function = &items.functions[at];
            let own = [function.name.clone()].into_iter();
            own.chain(of_new_type(&function.owner)).collect()
        }
        Declaration::Item(at) => {
            let item = &items.items[at];
            match (item.kind, &item.owner) {
                (ItemKind::Const | ItemKind::Type, _) => vec![item.name.clone()],
                (kind, _) if kind.has_layout() => vec![item.name.clone()],
                (ItemKind::Impl, Some(owner)) => of_new_type(owner).into_iter().collect(),
                _ => Vec::new(),
            }
        }
        Declaration::Impl(at) => of_new_type(&items.impls[at].owner).into_iter().collect(),
        Declaration::Import { module, import } => {
            let bound = items.modules[module].uses[import].bound();
            bound.map(str::to_owned).into_iter().collect()
        }
    }
}
