//! Methods that know their caller because the declaration of their trait says so.
//!
//! ```text
//! trait Index { #[track_caller] fn index(&self, …) -> …; }        impl Index<usize> for Stack { fn index(&self, …) -> … { … } }
//! ```
//!
//! `#[track_caller]` on a declaration holds for every impl, and adds a parameter that nobody sees:
//! the code of such a method can't be called through a site. By the names of methods alone,
//! whichever trait they are of: one too many is patched by way of its callers. Knows nothing of
//! where other crates' sources are.

use std::collections::BTreeSet;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::analysis::each_function::each_function;
use crate::syntax::attributes::TRACK_CALLER;
use crate::syntax::names::Owner;
use crate::syntax::tree::CrateTree;

/// Methods of traits of the standard library.
const OF_STD: [&str; 2] = ["index", "index_mut"];

/// The methods that traits in a file declare so; nothing if the text is no Rust.
pub fn tracking_methods(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if text.contains(TRACK_CALLER) && text.contains("trait") {
        if let Ok(tokens) = TokenStream::from_str(text) {
            traits(tokens, &mut names);
        }
    }
    names
}

/// Names of the sites that methods of trait impls would have which know their caller: by a trait of
/// the standard library, of the crate itself, or by one that declares a method of a name in
/// `elsewhere`.
pub fn tracked(tree: &CrateTree, crate_name: &str, elsewhere: &BTreeSet<String>) -> Vec<String> {
    let own: BTreeSet<String> = tree
        .files
        .iter()
        .flat_map(|file| tracking_methods(&file.text))
        .collect();
    let mut sites = Vec::new();
    each_function(tree, crate_name, &mut |found| {
        let name = found.signature.ident.to_string();
        let tracks = OF_STD.contains(&&*name) || own.contains(&name) || elsewhere.contains(&name);
        if tracks && matches!(found.owner, Owner::Trait { .. }) {
            sites.push(found.site.clone());
        }
    });
    sites
}

/// Finds traits, also inside of macro calls.
fn traits(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let mut is_trait = false;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "trait" => is_trait = true,
            TokenTree::Punct(sign) if sign.as_char() == ';' => is_trait = false,
            TokenTree::Group(group) => {
                if is_trait && group.delimiter() == Delimiter::Brace {
                    methods(group.stream(), names);
                    is_trait = false;
                }
                traits(group.stream(), names);
            }
            _ => {}
        }
    }
}

fn methods(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let (mut tracks, mut is_name) = (false, false);
    let mut after_hash = false;
    for token in tokens {
        let hash = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == '#');
        match token {
            TokenTree::Ident(word) if is_name => {
                if tracks {
                    names.insert(word.to_string());
                }
                (tracks, is_name) = (false, false);
            }
            TokenTree::Ident(word) => is_name = word == "fn",
            // Under a condition, too.
            TokenTree::Group(group) if after_hash => {
                tracks |= group.stream().to_string().contains(TRACK_CALLER);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => tracks = false,
            TokenTree::Punct(sign) if sign.as_char() == ';' => tracks = false,
            _ => {}
        }
        after_hash = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn traits_say_it_also_in_macros_and_under_conditions() {
        let text = "
            trait A { #[track_caller] fn a(&self) -> u8 { 1 } fn b(&self); }
            impl S { #[track_caller] fn c(&self) {} }
            wrap! { pub trait B: Sized { #[doc = \"x\"] #[cfg_attr(x, track_caller)] unsafe fn d(); fn e(); } }
            fn f() { trait C { #[track_caller] fn g(); } }";
        let names: Vec<String> = tracking_methods(text).into_iter().collect();
        assert_eq!(names, ["a", "d", "g"]);
        assert!(tracking_methods("trait A { #[track_caller").is_empty());
    }

    #[test]
    fn impls_follow_their_traits() {
        let text = "
            mod m { pub trait A { #[track_caller] fn a(&self); } }
            impl m::A for S { fn a(&self) {} }
            impl std::ops::Index<usize> for S { type Output = u8; fn index(&self, at: usize) -> &u8 { &self.0[at] } }
            impl Get for S { fn get(&self) {} fn put(&self) {} }
            impl S { fn get(&self) {} fn a(&self) {} }";
        let tree = CrateTree::load(Path::new("lib.rs"), &mut |_| Ok(text.to_owned()));
        let elsewhere = BTreeSet::from(["get".to_owned()]);
        assert_eq!(
            tracked(&tree.expect("a tree"), "app", &elsewhere),
            [
                "<app::S as m::A>::a",
                "<app::S as std::ops::Index<usize>>::index",
                "<app::S as Get>::get"
            ]
        );
    }
}
