//! What an edit of a body does to its closures and async blocks: one that lives was made by the
//! code that stood there, and rustc knows them by numbers.
//!
//! Knows nothing of compiled code.

use std::collections::BTreeSet;

use super::local_closures::LocalClosure;
use super::local_items::LocalItems;

/// The lines of the closures that `old` does not have, or not in their places.
pub fn edited_closures(old: &LocalItems, new: &LocalItems) -> Vec<usize> {
    let edited: Vec<&LocalClosure> = match only_closures_differ(old, new) {
        true => edited_in_place(old, new).collect(),
        false => {
            let all = new.closures.iter();
            all.filter(|closure| alike(&old.closures, closure) == 0)
                .collect()
        }
    };
    edited.into_iter().map(|closure| closure.line).collect()
}

fn edited_in_place<'a>(
    old: &'a LocalItems,
    new: &'a LocalItems,
) -> impl Iterator<Item = &'a LocalClosure> {
    let pairs = old.closures.iter().zip(&new.closures);
    let edited = pairs.filter(|(old, new)| old.content != new.content);
    edited.map(|(_, new)| new)
}

/// Whether nothing differs but what stands inside of closures and async blocks that are there in
/// both, in the same order.
pub fn only_closures_differ(old: &LocalItems, new: &LocalItems) -> bool {
    let mut pairs = old.closures.iter().zip(&new.closures);
    old.around == new.around
        && old.closures.len() == new.closures.len()
        && pairs.all(|(old, new)| old.around == new.around)
}

/// The numbers of the closures that are written as they were, where nothing differs but what stands
/// inside of closures and what they are called is known.
pub fn untouched_closures(old: &LocalItems, new: &LocalItems) -> BTreeSet<usize> {
    if !old.numbered || !new.numbered || !only_closures_differ(old, new) {
        return BTreeSet::new();
    }
    let pairs = old.closures.iter().zip(&new.closures).enumerate();
    pairs
        .filter(|(_, (old, new))| old.content == new.content)
        .map(|(number, _)| number)
        .collect()
}

/// Whether one of the closures of `old` is another one in `new`, or gone.
pub fn closures_differ(old: &LocalItems, new: &LocalItems) -> bool {
    if only_closures_differ(old, new) {
        return edited_in_place(old, new).next().is_some();
    }
    let mut then = old.closures.iter();
    then.any(|closure| alike(&new.closures, closure) < alike(&old.closures, closure))
}

/// How many closures are written like this one.
fn alike(all: &[LocalClosure], closure: &LocalClosure) -> usize {
    let alike = all.iter().filter(|other| other.content == closure.content);
    alike.count()
}

impl LocalItems {
    /// The same with those of the closures alone that have these numbers, where that can be told.
    pub fn with_closures(mut self, numbers: &BTreeSet<usize>) -> Self {
        if self.numbered {
            let mut number = 0;
            self.closures.retain(|_| {
                number += 1;
                numbers.contains(&(number - 1))
            });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_inside_of_closures() {
        let items = |body: &str| LocalItems::of(&syn::parse_str(body).expect("a block"));
        let only = |old: &str, new: &str| only_closures_differ(&items(old), &items(new));
        let old = "{ let x = 1; f(|n| n + 1); g(|| async { x }) }";
        for same in [
            "{ let x = 1; f(|n| n + 2); g(|| async { x + 1 }) }",
            "{ let x = 1; f(|n| { n * 3 }); g(|| async { }) }",
        ] {
            assert!(only(old, same), "{same}");
        }
        for other in [
            "{ let x = 2; f(|n| n + 1); g(|| async { x }) }",
            "{ let x = 1; f(|m| m + 1); g(|| async { x }) }",
            "{ let x = 1; f(|n| n + 1); f(|n| n); g(|| async { x }) }",
            "{ let x = 1; f(|n| { h(|| 3); n }); g(|| async { x }) }",
            "{ let x = 1; f(|n| n + 1); g(|| { h(|| 3); async { x } }) }",
            "{ let x = 1; f(|n| n + 1); g(|| async move { x }) }",
        ] {
            assert!(!only(old, other), "{other}");
        }
        // What a macro makes of its tokens is not known.
        assert!(!only("{ m!(|| 1) }", "{ m!(|| 2) }"));
    }

    #[test]
    fn closures_by_their_numbers() {
        let count = |body: &str| {
            let items = LocalItems::of(&syn::parse_str(body).expect("a block"));
            items.with_closures(&BTreeSet::from([1])).closures.len()
        };
        assert_eq!(count("{ f(|| 1); f(|| 2); println!() }"), 1);
        // Another one may be before them.
        assert_eq!(count("{ f(|| 1); info!(); f(|| 2) }"), 2);
        assert_eq!(count("{ f(|| g(|| 1)); f(|| 2) }"), 3);
    }

    #[test]
    fn closures_that_are_as_they_were() {
        let items = |body: &str| LocalItems::of(&syn::parse_str(body).expect("a block"));
        let untouched = |old: &str, new: &str| -> Vec<usize> {
            untouched_closures(&items(old), &items(new))
                .into_iter()
                .collect()
        };
        let old = "{ f(|| 1); g(|| 2); h(|| 3) }";
        assert_eq!(untouched(old, "{ f(|| 1); g(|| 4); h(|| 3) }"), [0, 2]);
        assert_eq!(untouched(old, "{ f(|| 1); g(|| 2); f(|| 3) }"), [0; 0]);
        assert_eq!(
            untouched("{ m!(); f(|| 1); f(|| 2) }", "{ m!(); f(|| 1); f(|| 3) }"),
            [0; 0]
        );
    }

    #[test]
    fn closures_that_are_others_now() {
        let items = |body: &str| LocalItems::of(&syn::parse_str(body).expect("a block"));
        let old = items("{ f(|n| n + 1);\n g(|| 2) }");
        let new = items("{ h();\n f(|n| n + 1);\n g(|| 3) }");
        assert_eq!(edited_closures(&old, &new), [3]);
        assert!(closures_differ(&old, &new));
        // What surrounds them tells which is which.
        let swapped = items("{ f(|n| 2);\n g(|| n + 1) }");
        assert_eq!(edited_closures(&old, &swapped), [1, 2]);
        let before = items("{ f(|| 1); g(|| 2) }");
        let after = items("{ f(|| 2); g(|| 1) }");
        assert!(closures_differ(&before, &after));
        assert!(!closures_differ(&before, &items("{ g(|| 2); f(|| 1) }")));
        let more = items("{ f(|n| n + 1); g(|| 2); g(|| 3) }");
        assert!(!closures_differ(&old, &more));
        assert!(closures_differ(&more, &old));
        let twins = items("{ f(|| 1); f(|| 1) }");
        assert!(closures_differ(&twins, &items("{ h(); f(|| 2); f(|| 1) }")));
    }
}
