//! From selected code to a plugin: objects are written, linked, and checked for what they would
//! bring.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use soft_mock_abi::late::sharing;
use soft_mock_abi::manifest::{self, Function, Manifest};
use soft_mock_abi::symbol;

use super::brought;
use super::late::{self, Late};
use super::layouts::Lives;
use super::units::Built;
use super::{refused, Code, Request, WholeCrateError};
use crate::os::files::{examine, replace_file};
use crate::os::process::Cancelled;
use crate::os::session_dir::WHOLE_CRATE;
use crate::patch::linker::{Inputs, Linker};
use crate::program::plan::KeptValues;
use crate::program::whole_crate_plugin::{Replaced, WholeCratePlugin};
use soft_mock_compiled::compare::{Difference, Left, Premises, Side};
use soft_mock_compiled::counterparts::Variable;
use soft_mock_compiled::extract;
use soft_mock_compiled::late_object;
use soft_mock_compiled::library;
use soft_mock_compiled::manifest_object;
use soft_mock_compiled::select::{self, NewStatic, ProgramSymbols, Selected, Selection, Taken};
use soft_mock_compiled::sites::CompiledSite;
use soft_mock_compiled::symbols::demangled;
use soft_mock_compiled::world::{Piece, World};

/// Builds the plugins of a patch.
pub(super) struct Plugins<'a, 'd, 'l> {
    pub(super) request: &'a Request<'a>,
    pub(super) built: &'a Built,
    pub(super) code: &'a Code<'d>,
    pub(super) old: &'a Side<'a, 'd>,
    pub(super) new: &'a Side<'a, 'd>,
    pub(super) program: &'a ProgramSymbols,
    pub(super) premises: &'a Premises<'a>,
    pub(super) lives: &'a Lives<'l>,
    /// The types of variables by their symbols, as the program was built and now.
    pub(super) types: &'a [HashMap<String, String>; 2],
    /// The variables in closures of the new code.
    pub(super) variables: &'a [Variable],
    /// Variables of the program that stand elsewhere now.
    pub(super) moved: &'a BTreeMap<String, String>,
    /// The sites of the program, by the paths of their code.
    pub(super) then: &'a HashMap<String, CompiledSite>,
    pub(super) difference: &'a Difference,
}

impl Plugins<'_, '_, '_> {
    /// The plugin that replaces `sites` of the unit at `position`, and what it leaves in the
    /// program. `earlier`: what is loaded before it.
    pub(super) fn build(
        &self,
        position: usize,
        sites: &[&CompiledSite],
        earlier: &[WholeCratePlugin],
    ) -> Result<Option<(WholeCratePlugin, Left, KeptValues)>, WholeCrateError> {
        let late = late::of_unit(self, position, sites.len());
        if sites.is_empty() && late.is_empty() {
            return Ok(None);
        }
        let rebound = |piece: Piece, path: &str| late::rebound(self, &late, piece, path);
        let brought: Vec<NewStatic> = earlier
            .iter()
            .flat_map(|plugin| plugin.statics.iter().cloned())
            .collect();
        let types = self.types.each_ref();
        let [was, is] = types.map(|types| |symbol: &str| types.get(symbol).cloned());
        let selected = select::select(&Selection {
            world: &self.code.world,
            old: self.old.world,
            program: self.program,
            premises: self.premises,
            brought: &brought,
            roots: sites,
            late: &late::names(&late)
                .into_iter()
                .chain(brought::exported(sites, self.premises.brought))
                .collect(),
            rebound: &|piece, path| rebound(piece, path).map(|(name, _)| name),
            print: &|piece| self.new.print(piece),
            unchanged: &|path| self.new.is_same(self.old, path),
            marks: [&|path| select::marks(self.old, &was, path), &|path| {
                select::marks(self.new, &is, path)
            }],
        })
        .map_err(refused)?;
        let name = format!("{}-{}", self.request.number, position);
        let place = self.request.output.join(&name);
        let (objects, content) = self.write(&place, (position, sites, &late), &selected)?;
        let path = self
            .request
            .output
            .join(format!("{}{name}.so", WHOLE_CRATE));
        let mut own = state(&self.code.world, &selected.taken);
        own.extend((0..late.len()).map(late_object::cell));
        let positions = brought::positions(sites, self.premises.brought);
        own.extend(positions.map(sharing));
        self.link(&name, &objects, &path, earlier, &selected.used)?;
        check(&path, &own, &selected.statics)?;
        let taken = |piece: Piece| {
            let object = selected.taken.get(&piece.0);
            object.is_some_and(|taken| taken.sections.contains(&piece.1))
        };
        let rebound = |piece: Piece, path: &str| rebound(piece, path).map(|(_, what)| what);
        let names = late.iter().map(|late| late.path.as_str());
        let left = Left::of_whole_crates(self.new, self.premises, (&taken, &rebound), names);
        let (contents, of_late) =
            selected.contents(&self.code.world, |piece| self.new.print_with_columns(piece));
        let plugin = WholeCratePlugin {
            position,
            path,
            functions: sites
                .iter()
                .zip(contents)
                .map(|(site, content)| Replaced {
                    content: Some(content),
                    ..self.replaced(position, site)
                })
                .chain(late.iter().map(|late| Replaced {
                    content: of_late.get(&*late.path).copied(),
                    ..late.replaced.clone()
                }))
                .collect(),
            variables: self.brought(&selected.statics),
            statics: selected.statics,
            moved: self.moved.clone(),
            layouts: self.lives.now().to_vec(),
            content,
        };
        Ok(Some((plugin, left, selected.keep)))
    }

    /// What is known of the variables in closures that a plugin brings.
    fn brought(&self, statics: &[NewStatic]) -> Vec<Variable> {
        let is_new = |variable: &&Variable| statics.iter().any(|new| variable.has(&new.path));
        self.variables.iter().filter(is_new).cloned().collect()
    }

    /// Writes the objects of a plugin, and says what stands for their content.
    fn write(
        &self,
        place: &Path,
        (position, sites, late): (usize, &[&CompiledSite], &[Late]),
        selected: &Selected,
    ) -> Result<(Vec<PathBuf>, u64), WholeCrateError> {
        let manifest = self
            .manifest(position, sites, late)
            .map_err(anyhow::Error::from)?;
        let mut files = vec![("manifest".to_owned(), manifest_object::object(&manifest)?)];
        if !late.is_empty() {
            let originals: Vec<_> = late.iter().map(|late| late.originals.clone()).collect();
            files.push(("late".to_owned(), late_object::object(&originals)?));
        }
        let mut positions = brought::positions(sites, self.premises.brought).peekable();
        if positions.peek().is_some() {
            files.push(("sites".to_owned(), late_object::sites(positions)?));
        }
        let mut content = DefaultHasher::new();
        let outside = selected.outside();
        for (object, taken) in &selected.taken {
            let bytes = extract::write(&self.code.world.objects[*object], taken, &outside);
            bytes.hash(&mut content);
            files.push((object.to_string(), bytes));
        }
        let mut written = Vec::new();
        for (name, bytes) in files {
            let path = place.join(format!("{name}.o"));
            replace_file(&path, &bytes)?;
            written.push(path);
        }
        Ok((written, content.finish()))
    }

    /// A function as it is told, under the name that its site has in the program: where an impl
    /// block moved to another module, it has another one now.
    fn replaced(&self, position: usize, site: &CompiledSite) -> Replaced {
        let then = self.then.get(site.owner()).unwrap_or(site);
        let is_brought = self.premises.brought.contains_key(site.owner());
        Replaced {
            name: then.name.clone(),
            brought: is_brought.then(|| site.signature.clone()),
            ..self.built.replaced(position, site)
        }
    }

    fn manifest(
        &self,
        position: usize,
        sites: &[&CompiledSite],
        late: &[Late],
    ) -> Result<String, serde_json::Error> {
        let unit = self.request.units[position].unit;
        let functions = sites.iter().enumerate().map(|(k, site)| {
            let replaced = self.replaced(position, site);
            let file = replaced
                .file
                .strip_prefix(&unit.cwd)
                .unwrap_or(&replaced.file);
            let [check, type_id, sharing] = match &replaced.brought {
                Some(_) => brought::symbols(k).map(Some),
                None => [const { None }; 3],
            };
            Function {
                name: replaced.name.clone(),
                signature: site.signature.clone(),
                symbol: symbol::patch(k),
                check,
                file: file.display().to_string(),
                line: site.line,
                late: None,
                type_id,
                sharing,
            }
        });
        let functions = functions.chain(late::manifest(late, unit));
        serde_json::to_string(&Manifest {
            format: manifest::FORMAT,
            kind: manifest::PATCH.to_owned(),
            rustc: unit.version.clone(),
            unit: format!("{:016x}", unit.id),
            crate_name: unit.crate_name.clone(),
            functions: functions.collect(),
        })
    }

    fn link(
        &self,
        name: &str,
        objects: &[PathBuf],
        output: &Path,
        earlier: &[WholeCratePlugin],
        used: &BTreeSet<String>,
    ) -> Result<(), WholeCrateError> {
        let linker = Linker {
            bundled: self.request.linker,
            program: self.request.program,
            library: self.request.library,
            libraries: self.request.libraries,
        };
        // Those whose statics it uses: the dynamic linker knows them by this name.
        let with: Vec<PathBuf> = earlier
            .iter()
            .filter(|plugin| {
                plugin
                    .statics
                    .iter()
                    .any(|known| used.contains(&known.symbol))
            })
            .map(|plugin| plugin.path.clone())
            .collect();
        let soname = format!("soft-mock-{}-{name}.so", std::process::id());
        let inputs = Inputs {
            objects,
            plugins: &with,
            soname: Some(&soname),
        };
        let linked = linker.link(&inputs, output, self.request.cancel);
        linked.map_err(|error| match error.is::<Cancelled>() {
            true => WholeCrateError::Cancelled,
            false => refused(format!("{error:#}")),
        })
    }
}

/// Names of the variables that were taken, and of those that every plugin has.
fn state(world: &World<'_>, taken: &BTreeMap<usize, Taken>) -> HashSet<String> {
    let mut names = HashSet::from([select::OWN_SITE.to_owned()]);
    for (&position, taken) in taken {
        let object = &world.objects[position];
        for symbol in &object.symbols {
            let state = symbol
                .section
                .is_some_and(|at| taken.sections.contains(&at) && object.sections[at].is_state());
            if state {
                names.insert(demangled(symbol.name));
            }
        }
    }
    names
}

/// The plugin may not have a variable that wasn't taken on purpose, and nothing that runs by
/// itself.
fn check(
    plugin: &Path,
    expected: &HashSet<String>,
    statics: &[NewStatic],
) -> Result<(), WholeCrateError> {
    // The linker's own tables, which only the dynamic linker writes to.
    const TABLES: [&str; 4] = [".got", ".got.plt", ".dynamic", ".relro_padding"];
    let unexpected = examine(plugin, library::state)?
        .into_iter()
        .find(|name| !expected.contains(name) && !TABLES.contains(&name.as_str()));
    if let Some(name) = unexpected {
        return Err(refused(format!("it would bring a second copy of `{name}`")));
    }
    let runs = examine(plugin, library::runs_when_loaded)?;
    let exported = examine(plugin, library::dynamic_symbols)?.defined;
    let foreign = exported.into_iter().find(|name| {
        !name.starts_with(symbol::PREFIX) && !statics.iter().any(|known| known.symbol == *name)
    });
    match (runs, foreign) {
        (Some(name), _) => Err(refused(format!(
            "it would run code when it is loaded ({name})"
        ))),
        (_, Some(name)) => Err(refused(format!("it would export `{}`", demangled(&name)))),
        _ => Ok(()),
    }
}
