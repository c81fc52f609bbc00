//! Whose definition a symbol of the new code is bound to: the program's, an earlier plugin's, or
//! one that is taken along.

use std::sync::Arc;

use super::repeated::Whose;
use super::{Decision, Fate, NewStatic, Selector};
use crate::counterparts::{accessed, is_accessor, Counterpart};
use crate::objects::Symbol;
use crate::sites::CompiledSite;
use crate::symbols::demangled;
use crate::world::Piece;

impl<'d> Selector<'_, 'd> {
    pub(super) fn decide(&mut self, symbol: &Symbol<'d>) -> Result<Decision, String> {
        if let Some(known) = self.decided.get(symbol.name) {
            return Ok(known.clone());
        }
        let decision = match self.on.world.definition(symbol.name) {
            None => Decision::Elsewhere(symbol.name.to_owned()),
            Some((object, index)) => self.defined(object, index)?,
        };
        self.decided.insert(symbol.name, decision.clone());
        Ok(decision)
    }

    fn defined(&mut self, object: usize, index: usize) -> Result<Decision, String> {
        let world = self.on.world;
        let symbol = &world.objects[object].symbols[index];
        let section = symbol.section.ok_or("a symbol without a section")?;
        let taken = Decision::Taken(object, section);
        let found = &world.objects[object].sections[section];
        if found.is_personality() {
            return Ok(taken);
        }
        if found.is_code() {
            if let Some(root) = self
                .roots
                .get(&(object, section))
                .filter(|root| !root.inline)
            {
                return Ok(Decision::Elsewhere(root.name.clone()));
            }
            if let Some(name) = self.late.get(&(object, section)) {
                return Ok(Decision::Elsewhere((*name).to_owned()));
            }
            let path = world.path(symbol.name);
            let bound = self.on.premises.bound.get(&*path);
            let is_called = |site: &&CompiledSite| !site.is_async || site.owner() != &*path;
            let Some(site) = bound.filter(is_called) else {
                return match is_accessor(world, &path, (object, section)) {
                    true => self.accessor(symbol, (object, section), index),
                    false => Ok(taken),
                };
            };
            // Whoever calls a function with a site goes through it.
            return match self.on.program.function(&path) {
                Some(exported) => Ok(Decision::Elsewhere(exported.to_owned())),
                None => Err(format!("the program does not export `{}`", site.name)),
            };
        }
        self.variable(symbol, (object, section), index)
    }

    /// The function through which a thread-local is reached stands beside it: its code may know
    /// where that is.
    fn accessor(
        &mut self,
        symbol: &Symbol<'d>,
        piece: Piece,
        index: usize,
    ) -> Result<Decision, String> {
        let own = self.on.world.path(symbol.name);
        let path = self.counterpart(&own)?;
        let variable = accessed(self.on.world, &own, piece).map(|name| self.on.world.path(name));
        let variable = variable.as_deref().and_then(|of| of.strip_prefix(&*own));
        match self.whose(symbol, &own, path.as_ref(), variable.unwrap_or("")) {
            Whose::Alone => {}
            Whose::Program(name) => return Ok(Decision::Elsewhere(name)),
            Whose::Unclear => return Err(several(symbol)),
        }
        let in_program = self.in_program(path.as_deref())?;
        if let Some(program) = self.on.program.function(&in_program) {
            // Of another path, it refers to the variable by that.
            let is_same = match self.on.premises.counterparts.get(&*own) {
                Some(Counterpart::Of { same, .. }) => *same,
                _ => (self.on.unchanged)(&own),
            };
            return Ok(match is_same {
                true => Decision::Elsewhere(program.to_owned()),
                false => Decision::Taken(piece.0, piece.1),
            });
        }
        let path = path.unwrap_or(own);
        let print = (self.on.print)(piece);
        let mut brought = self.on.brought.iter();
        Ok(
            match brought.find(|known| known.path == *path && known.print == print) {
                Some(known) => {
                    self.found.used.insert(known.symbol.clone());
                    Decision::Elsewhere(known.symbol.clone())
                }
                None => self.share(symbol, piece, index, print),
            },
        )
    }

    /// The path that a variable has in the program or an earlier plugin. None: it is a new one.
    fn counterpart(&self, path: &Arc<str>) -> Result<Option<Arc<str>>, String> {
        match self.on.premises.counterparts.get(&**path) {
            None => Ok(Some(Arc::clone(path))),
            Some(Counterpart::Of { path, .. }) => Ok(Some(path.as_str().into())),
            Some(Counterpart::New) => Ok(None),
            Some(Counterpart::Unclear(why)) => Err(why.clone()),
        }
    }

    /// Takes something new that later plugins are to use as well.
    fn share(&mut self, symbol: &Symbol<'d>, piece: Piece, index: usize, print: u64) -> Decision {
        let objects = self.found.taken.entry(piece.0).or_default();
        objects.symbols.insert(index, Fate::Shared);
        self.found.statics.push(NewStatic {
            path: self.on.world.path(symbol.name).to_string(),
            symbol: symbol.name.to_owned(),
            print,
        });
        Decision::Taken(piece.0, piece.1)
    }

    /// A static: the program's, an earlier plugin's, or a new one.
    fn variable(
        &mut self,
        symbol: &Symbol<'d>,
        piece: Piece,
        index: usize,
    ) -> Result<Decision, String> {
        let path = self.on.world.path(symbol.name);
        let taken = Decision::Taken(piece.0, piece.1);
        let is_description = self.on.premises.is_description(self.on.world, &path);
        let counterpart = match self.counterpart(&path) {
            Err(_) if is_description => return Ok(taken),
            counterpart => counterpart?,
        };
        let in_program = match self.in_program(counterpart.as_deref()) {
            Err(_) if is_description => return Ok(taken),
            in_program => in_program?,
        };
        let is_word = path
            .rsplit("::")
            .next()
            .is_some_and(|last| self.on.premises.identifiers.contains(last));
        let print = (self.on.print)(piece);
        let is_new = self.on.program.symbols_of(&in_program).is_empty();
        let is_state = self.on.world.objects[piece.0].sections[piece.1].is_state();
        match self.whose(symbol, &path, counterpart.as_ref(), "") {
            Whose::Alone => {}
            Whose::Program(name) => return Ok(Decision::Elsewhere(name)),
            Whose::Unclear if is_description || (is_new && !is_state) => return Ok(taken),
            Whose::Unclear => return Err(several(symbol)),
        }
        if let Some(one) = self.on.program.symbol(&in_program) {
            return Ok(match is_description && !(self.on.unchanged)(&path) {
                true => taken,
                false => Decision::Elsewhere(one.to_owned()),
            });
        }
        let brought = self.on.brought.iter();
        let mut brought = brought.filter(|known| {
            counterpart
                .as_ref()
                .is_some_and(|path| known.path == **path)
        });
        if let Some(known) = brought.find(|known| is_word || known.print == print) {
            let folded = self
                .on
                .premises
                .folded(self.on.world, piece, &demangled(symbol.name));
            if known.print != print {
                if let Some(why) = folded {
                    return Err(why);
                }
                if !self.on.world.is_code(piece) {
                    self.found.keep.insert(demangled(symbol.name), print);
                }
            }
            self.found.used.insert(known.symbol.clone());
            return Ok(Decision::Elsewhere(known.symbol.clone()));
        }
        if !symbol.name.starts_with("_R") {
            return Ok(taken);
        }
        Ok(self.share(symbol, piece, index, print))
    }
}

/// Why a variable can't be had whose path several have, or had.
fn several(symbol: &Symbol<'_>) -> String {
    let name = demangled(symbol.name);
    // What std's macro makes for a thread-local has names of its own.
    let own = ["::{K#", "::{constant#"];
    let end = own.iter().filter_map(|start| name.find(start)).min();
    format!(
        "several variables `{}` are or were in one body, and it can't be told which is which",
        &name[..end.unwrap_or(name.len())]
    )
}
