//! Finds what two lists have in common. Knows nothing of what is in them.

use std::collections::HashMap;
use std::hash::Hash;

/// Pairs up what has the same key on both sides: first where the conditions are equal too, then in
/// order. Duplicates are usually twins under opposite conditions.
pub(super) fn pair<'a, T, K: Eq + Hash>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
    same: &[Alike<'_, T>],
) -> Pairs {
    let mut groups: HashMap<K, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (index, item) in old.iter().enumerate() {
        groups.entry(key(item)).or_default().0.push(index);
    }
    for (index, item) in new.iter().enumerate() {
        groups.entry(key(item)).or_default().1.push(index);
    }
    let mut pairs = Pairs::default();
    for (mut before, mut after) in groups.into_values() {
        for same in same {
            before.retain(|&b| {
                let twin = after.iter().position(|&a| same(&old[b], &new[a]));
                if let Some(twin) = twin {
                    pairs.both.push((b, after.remove(twin)));
                }
                twin.is_none()
            });
        }
        let common = before.len().min(after.len());
        pairs.both.extend(
            before
                .iter()
                .copied()
                .zip(after.iter().copied())
                .take(common),
        );
        pairs.removed.extend(before.drain(..).skip(common));
        pairs.added.extend(after.drain(..).skip(common));
    }
    pairs.both.sort_by_key(|&(_, new)| new);
    pairs
}

/// A reason to pair two items that have the same key.
pub(super) type Alike<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// Indices of what two lists have in common, and of what only one of them has.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) both: Vec<(usize, usize)>,
    pub(super) removed: Vec<usize>,
    pub(super) added: Vec<usize>,
}
