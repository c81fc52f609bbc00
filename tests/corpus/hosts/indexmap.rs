//! Maps and sets of several types, with most of what can be done with them.

use std::collections::hash_map::RandomState;

use indexmap::map::Entry;
use indexmap::{indexmap, indexset, Equivalent, IndexMap, IndexSet};

#[derive(Hash, PartialEq, Eq)]
struct Short<'a>(&'a str);

impl Equivalent<String> for Short<'_> {
    fn equivalent(&self, key: &String) -> bool {
        key.as_str() == self.0
    }
}

fn map(words: &str) -> IndexMap<String, usize> {
    let mut map: IndexMap<String, usize> = IndexMap::with_capacity(4);
    for word in words.split(' ') {
        *map.entry(word.to_owned()).or_insert(0) += 1;
    }
    map.reserve(8);
    let _ = map.insert_full("full".to_owned(), 7);
    let _ = map.insert_sorted("sorted".to_owned(), 8);
    let _ = map.insert_before(0, "before".to_owned(), 9);
    let _ = map.shift_insert(1, "shifted".to_owned(), 10);
    if let Entry::Occupied(entry) = map.entry("full".to_owned()) {
        let _ = (entry.index(), entry.key().len(), entry.get().checked_add(1));
        entry.shift_remove_entry();
    }
    if let Entry::Vacant(entry) = map.entry("vacant".to_owned()) {
        entry.insert_entry(3).insert(4);
    }
    let _ = (
        map.get("full"),
        map.get_full("a"),
        map.get_index(0),
        map.get_index_of("a"),
    );
    let _ = (
        map.get_mut("a").map(|n| *n += 1),
        map.get_index_mut(0).is_some(),
        map.first(),
    );
    let _ = (
        map.last().is_some(),
        map.contains_key("a"),
        map.get_key_value("a").is_some(),
    );
    map.swap_indices(0, 1);
    map.move_index(0, 2);
    let _ = (
        map.swap_remove("b"),
        map.shift_remove("c"),
        map.swap_remove_index(0),
    );
    let _ = (
        map.swap_remove_full("x"),
        map.shift_remove_entry("y"),
        map.shift_remove_index(0),
    );
    map.retain(|_, count| *count < 100);
    map.sort_keys();
    map.sort_by(|a, m, b, n| m.cmp(n).then(a.cmp(b)));
    map.sort_unstable_by(|a, _, b, _| b.cmp(a));
    map.sort_by_cached_key(|key, _| key.len());
    let _ = (
        map.binary_search_keys(&"a".to_owned()),
        map.partition_point(|_, n| *n < 2),
    );
    map.reverse();
    let off = map.split_off(map.len() / 2);
    map.extend(off);
    let drained: Vec<(String, usize)> = map.drain(..1).collect();
    map.extend(drained);
    map.truncate(50);
    map.shrink_to_fit();
    let _: usize = map.values().sum::<usize>() + map.keys().map(String::len).sum::<usize>();
    map.values_mut().for_each(|count| *count += 1);
    map.iter_mut().rev().for_each(|(_, count)| *count += 1);
    let slice = map.as_slice();
    let _ = (
        slice.len(),
        slice.iter().count(),
        slice.get_index(0).is_some(),
        slice.split_at(1),
    );
    let _ = (
        slice.first(),
        slice.last(),
        slice.keys().count(),
        slice.values().count(),
    );
    let _ = (map[0], map.clone() == map, format!("{map:?}"));
    let _ = map.pop();
    map
}

fn set(numbers: &[u32]) -> IndexSet<u32, RandomState> {
    let mut set: IndexSet<u32> = numbers.iter().copied().collect();
    let other = indexset! {1, 2, 30};
    let _ = (
        set.insert(5),
        set.insert_full(6),
        set.replace(5),
        set.replace_full(6),
    );
    let _ = (
        set.contains(&5),
        set.get(&5),
        set.get_full(&5),
        set.get_index(0),
        set.get_index_of(&5),
    );
    let _ = (
        set.is_disjoint(&other),
        set.is_subset(&other),
        set.is_superset(&other),
    );
    let joined: Vec<u32> = set.union(&other).copied().collect();
    let both: IndexSet<u32> = &set & &other;
    let either: IndexSet<u32> = &set | &other;
    let one: IndexSet<u32> = &(&set ^ &other) - &both;
    let _ = (
        joined.len(),
        either.len(),
        one.first().copied(),
        set.difference(&other).count(),
    );
    let _ = (
        set.intersection(&other).count(),
        set.symmetric_difference(&other).count(),
    );
    let _ = (
        set.swap_remove(&1),
        set.shift_remove(&2),
        set.swap_take(&3),
        set.shift_take(&7),
    );
    set.sort();
    set.sort_unstable_by(|a, b| b.cmp(a));
    set.reverse();
    set.retain(|number| *number != 9);
    let _ = (
        set.as_slice().iter().count(),
        set.drain(..).count(),
        set.is_empty(),
        set.capacity(),
    );
    set.extend(both);
    set.clear();
    set
}

fn main() {
    let map = map("a b c a b d e f g h i j");
    let by_number: IndexMap<u8, &str> = indexmap! {1 => "one", 2 => "two"};
    let _ = (
        map.get(&Short("a")),
        by_number.into_iter().rev().count(),
        set(&[1, 2, 3, 9]),
    );
    let _ = (map.into_keys().count(), std::io::stdin().lines().count());
}
