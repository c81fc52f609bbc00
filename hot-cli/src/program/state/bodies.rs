//! Which functions are to get another body than the one that they run, and which their original
//! one.
//!
//! Knows nothing of edits that reach others.

use super::*;
use crate::program::plan::{Plan, UnitPlan};

impl ProgramState {
    /// Functions that are to get another body than they have now.
    pub(super) fn plan_bodies(&self, bodies: &BTreeMap<SiteKey, PlannedFunction>, plan: &mut Plan) {
        let own = bodies
            .iter()
            .filter(|(_, function)| function.brought.is_none());
        for (site, function) in own {
            let active = self.active.get(site).map(PlannedFunction::content);
            if active != Some(function.content()) {
                let unit: &mut UnitPlan = plan.entry(site.0).or_default();
                unit.patch.push(function.clone());
            }
        }
        for (site, active) in &self.active {
            if bodies.contains_key(site) {
                continue;
            }
            let restored = match self.original(site) {
                None => active.clone(),
                Some((path, original)) => {
                    let crate_name = &self.program.units[site.0].unit.crate_name;
                    planned(crate_name, path, original)
                }
            };
            let unit: &mut UnitPlan = plan.entry(site.0).or_default();
            unit.restore.push(restored);
        }
    }

    /// A function as the program was built with it.
    fn original(&self, (position, name): &SiteKey) -> Option<(&PathBuf, &DeclaredFunction)> {
        let loaded = &self.program.units[*position];
        let crate_name = &loaded.unit.crate_name;
        loaded.files.iter().find_map(|(path, items)| {
            let mut functions = items.functions.iter();
            let function = functions.find(|function| function.site_name(crate_name) == *name)?;
            Some((path, function))
        })
    }
}
