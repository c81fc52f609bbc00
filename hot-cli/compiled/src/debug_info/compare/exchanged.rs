//! Types of one name and of several forms, such as two blocks of a body declare: each compilation
//! has the same set of them also if they have exchanged their forms. The order in which an object
//! has them tells.
//!
//! Knows nothing of what has these types.

use std::collections::{BTreeMap, BTreeSet};

use super::{names, several, Comparison, Difference};
use crate::debug_info::describe::Described;
use crate::debug_info::pool::Text;

impl Comparison<'_> {
    pub(super) fn exchanged(&self, found: &mut Vec<Difference>) {
        let [old, new] = [0, 1].map(|side| orders(&self.own[side]));
        for (name, now) in new {
            let text = self.pool.get(name);
            // What a derive declares has no path of its own.
            let is_one = names::is_declared_in(text, self.crates)
                && !text.contains("::_::")
                && !names::is_of_one_call(text);
            let then = old.get(&name).filter(|_| is_one);
            if then.is_some_and(|then| *then != now && forms(then) == forms(&now)) {
                found.push(several(text));
            }
        }
    }
}

fn forms(orders: &BTreeSet<Vec<Text>>) -> BTreeSet<Text> {
    orders.iter().flatten().copied().collect()
}

/// The forms of the types of each name that has several in one object, in the order of the object.
fn orders(side: &[&Described]) -> BTreeMap<Text, BTreeSet<Vec<Text>>> {
    let mut found: BTreeMap<Text, BTreeSet<Vec<Text>>> = BTreeMap::new();
    for described in side {
        let mut own: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
        for ty in &described.types {
            own.entry(ty.name).or_default().push(ty.shape);
        }
        own.retain(|_, forms| forms.iter().any(|form| *form != forms[0]));
        for (name, forms) in own {
            found.entry(name).or_default().insert(forms);
        }
    }
    found
}
