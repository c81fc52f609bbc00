//! Types that got a `Drop` of their own, or lost it.
//!
//! Only those whose `drop` is compiled in any case: whether that of a generic type stands in the
//! code says what is used, and what it is for objects that exist is seen in their vtables.

use std::collections::BTreeSet;

use super::super::describe::Described;
use super::super::pool::Text;
use super::{Comparison, Difference, Rank};
use crate::symbols;

impl<'a> Comparison<'a> {
    pub(super) fn dropped(&self, found: &mut Vec<Difference>) {
        let texts = |list: fn(&'a Described) -> &'a [Text]| -> [BTreeSet<Text>; 2] {
            [0, 1].map(|side| self.side(side).flat_map(list).copied().collect())
        };
        let all = texts(|described| &described.dropped);
        let always = texts(|described| &described.always_dropped);
        let states = ["no more", "now, and had none"];
        for (side, state) in states.iter().enumerate() {
            for ty in always[side].difference(&all[1 - side]) {
                let ty = symbols::without_marks(self.pool.get(*ty));
                if [0, 1].iter().all(|side| self.has_type(*side, &ty)) {
                    found.push(Difference {
                        rank: Rank::Drop,
                        what: format!("`{ty}` has a `Drop` {state}"),
                    });
                }
            }
        }
    }

    /// All that one side consists of.
    fn side(&self, side: usize) -> impl Iterator<Item = &'a Described> + '_ {
        self.own[side].iter().chain(&self.shared).copied()
    }

    /// Whether a type, as a symbol names it, is there.
    fn has_type(&self, side: usize, ty: &str) -> bool {
        let head = ty.split("<'").next().unwrap_or(ty);
        // Inside of a method it is `<app::S>::method::Type` there, and `app::{impl}::method::Type`
        // here.
        let last = ty.rsplit("::").next().unwrap_or(ty);
        let mut types = self.side(side).flat_map(|described| &described.types);
        types.any(|found| {
            let name = self.pool.get(found.key);
            match ty.starts_with('<') {
                true => name.contains("{impl}") && name.rsplit("::").next() == Some(last),
                false => name.split('<').next() == Some(head),
            }
        })
    }
}
