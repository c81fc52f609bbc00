//! Takes the module of a block out of its file, as if it had a file of its own: so a module can be
//! compared with itself when it moves from the one to the other.
//!
//! Knows nothing of what is compared.

use super::declared::FileItems;

impl FileItems {
    /// Whether a block of this file is the module with this path. Not if there are several, under
    /// conditions.
    pub fn has_block(&self, module: &[String]) -> bool {
        let blocks = self.modules.iter().skip(1);
        blocks.filter(|block| block.path == module).count() == 1
    }

    /// The file without the block that is the module with this path, and the block by itself.
    /// Conditions of the block's declaration stay with the declaration.
    ///
    /// ```text
    /// mod a; mod b { fn f() {} }   ─►   mod a; mod b;   and   fn f() {}
    /// ```
    pub fn split(&self, module: &[String]) -> Option<(Self, Self)> {
        if !self.has_block(module) {
            return None;
        }
        let is_inside = |path: &[String]| path.starts_with(module);
        let (mut rest, mut block) = (self.clone(), self.clone());
        block.module = module.to_vec();
        block.attributes.clear();
        rest.modules.retain(|other| !is_inside(&other.path));
        rest.items.retain(|item| !is_inside(&item.module));
        rest.functions
            .retain(|function| !is_inside(&function.module));
        rest.private.retain(|private| !is_inside(&private.module));
        block.modules.retain(|other| is_inside(&other.path));
        block.items.retain(|item| is_inside(&item.module));
        block
            .functions
            .retain(|function| is_inside(&function.module));
        block.private.retain(|private| is_inside(&private.module));
        let around = block.modules.first().map_or(0, |module| module.cfgs.len());
        let inner = |cfgs: &mut Vec<String>| drop(cfgs.drain(..around.min(cfgs.len())));
        for module in &mut block.modules {
            inner(&mut module.cfgs);
            module
                .uses
                .iter_mut()
                .for_each(|import| inner(&mut import.cfgs));
            module
                .macros
                .iter_mut()
                .for_each(|rules| inner(&mut rules.cfgs));
            module
                .children
                .iter_mut()
                .for_each(|child| inner(&mut child.cfgs));
            module
                .locals
                .iter_mut()
                .for_each(|local| inner(&mut local.cfgs));
            let crates = module.extern_crates.iter_mut();
            crates.for_each(|krate| inner(&mut krate.cfgs));
        }
        block
            .items
            .iter_mut()
            .for_each(|item| inner(&mut item.cfgs));
        let functions = block.functions.iter_mut();
        functions.for_each(|function| inner(&mut function.cfgs));
        Some((rest, block))
    }
}
