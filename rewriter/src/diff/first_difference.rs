//! Where two texts of a file begin to differ, for files of which no more is known than that the
//! compiler read them.

use proc_macro2::{TokenStream, TokenTree};

use crate::syntax::line_of;

/// The line of the new text where it begins to say something else than the old one; None if both
/// differ in nothing but comments and white space.
pub fn first_difference(old: &str, new: &str) -> Option<usize> {
    let (Some(was), Some(is)) = (tokens(old), tokens(new)) else {
        return (old != new).then(|| 1 + old.lines().zip(new.lines()).take_while(equal).count());
    };
    let same = was.iter().zip(&is).take_while(|(was, is)| was.0 == is.0);
    let same = same.count();
    if same == was.len() && same == is.len() {
        return None;
    }
    // What was taken away at the end stood behind what is last now.
    let at = is.get(same).or(is.last());
    Some(at.map_or(1, |(_, line)| *line))
}

fn equal((old, new): &(&str, &str)) -> bool {
    old == new
}

/// The tokens of a text with their lines. None: it has none that the compiler would read.
fn tokens(text: &str) -> Option<Vec<(String, usize)>> {
    let mut found = Vec::new();
    flatten(text.parse().ok()?, &mut found);
    Some(found)
}

fn flatten(stream: TokenStream, found: &mut Vec<(String, usize)>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                let ends = format!("{:?}", group.delimiter());
                found.push((ends.clone(), line_of(group.span_open())));
                flatten(group.stream(), found);
                found.push((ends, line_of(group.span_close())));
            }
            token => found.push((token.to_string(), line_of(token.span()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_no_difference() {
        let old = "fn a() {\n    b(1)\n}\n\nfn c() {}\n";
        for (new, line) in [
            ("// one\nfn a() { b(1) /* two */ }\nfn c() {}", None),
            ("// one\nfn a() {\n    b(2)\n}\nfn c() {}", Some(3)),
            ("fn a() {\n    b[1]\n}\nfn c() {}", Some(2)),
            ("fn a() {\n    b(1)\n}\n", Some(3)),
            ("fn a() {\n    b(1)\n}\n\nfn c() {}\nfn d() {}", Some(6)),
            ("", Some(1)),
            ("fn a() {\n    b(1", Some(2)),
        ] {
            assert_eq!(first_difference(old, new), line, "{new}");
        }
        assert_eq!(first_difference("a(", "a("), None);
    }
}
