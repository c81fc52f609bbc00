//! From a commit to saves. Knows nothing of who looks at them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::commits::File;

/// What is saved at once.
pub(super) struct Step {
    pub(super) name: String,
    /// Paths in the project, and what they hold then; none: removed.
    files: Vec<(String, Option<Vec<u8>>)>,
}

/// Everything at once, as a checkout does.
pub(super) fn whole(files: Vec<File>) -> Vec<Step> {
    let name = format!("{} files", files.len());
    let files = files.into_iter().map(|file| (file.path, file.after));
    vec![Step {
        name,
        files: files.collect(),
    }]
}

/// One file after the other.
pub(super) fn by_file(files: Vec<File>) -> Vec<Step> {
    let step = |file: File| Step {
        name: file.path.clone(),
        files: vec![(file.path, file.after)],
    };
    files.into_iter().map(step).collect()
}

/// Within a file, one place after the other.
pub(super) fn by_hunk(files: Vec<File>) -> Vec<Step> {
    let mut steps = Vec::new();
    for file in files {
        let texts = states(&file);
        if texts.is_empty() {
            steps.extend(by_file(vec![file]));
            continue;
        }
        let count = texts.len();
        steps.extend(texts.into_iter().enumerate().map(|(number, text)| Step {
            name: format!("{} {}/{count}", file.path, number + 1),
            files: vec![(file.path.clone(), Some(text.into_bytes()))],
        }));
    }
    steps
}

/// The texts of a file with one more of its hunks each; none if it isn't text, or came or went.
fn states(file: &File) -> Vec<String> {
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone()?).ok();
    let (Some(before), Some(after)) = (text(&file.before), text(&file.after)) else {
        return Vec::new();
    };
    let [before, after]: [Vec<&str>; 2] =
        [&before, &after].map(|text| text.split_inclusive('\n').collect());
    let state = |count: usize| {
        let mut text = String::new();
        let mut at = 0;
        for hunk in &file.hunks[..count] {
            let (start, length) = hunk.before;
            text.extend(before[at..start].iter().copied());
            text.extend(after[hunk.after.0..][..hunk.after.1].iter().copied());
            at = start + length;
        }
        text.extend(before[at..].iter().copied());
        text
    };
    (1..=file.hunks.len()).map(state).collect()
}

impl Step {
    /// Saves it below a folder.
    pub(super) fn save(&self, project: &Path) -> Result<()> {
        for (path, text) in &self.files {
            let path = project.join(path);
            match text {
                Some(text) => {
                    std::fs::create_dir_all(path.parent().unwrap_or(project))?;
                    std::fs::write(path, text)?;
                }
                None => std::fs::remove_file(path)?,
            }
        }
        Ok(())
    }

    /// Whether something has to be said of it: the code of a file that the program was compiled
    /// from changes, beyond comments and formatting.
    pub(super) fn counts(&self, project: &Path, compiled: &BTreeSet<PathBuf>) -> bool {
        self.files.iter().any(|(path, text)| {
            let path = project.join(path);
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            let after = text.as_deref().map(String::from_utf8_lossy);
            compiled.contains(&path) && code(&before) != code(&after.unwrap_or_default())
        })
    }
}

/// The tokens of a text but for comments; none if it is no Rust.
fn code(text: &str) -> Option<String> {
    let mut found = String::new();
    push(TokenStream::from_str(text).ok()?, &mut found);
    Some(found)
}

fn push(tokens: TokenStream, found: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                // `#[doc = "…"]`, `#![doc = "…"]`: what comments are to the compiler.
                let inner = tokens
                    .next_if(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == '!'));
                let doc = tokens.next_if(|token| {
                    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket
                        && group.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc"))
                });
                if doc.is_none() {
                    found.push('#');
                    found.extend(inner.map(|_| '!'));
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                found.push_str(open);
                push(group.stream(), found);
                found.push_str(close);
            }
            token => {
                found.push_str(&token.to_string());
                found.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::commits::Hunk;

    #[test]
    fn one_place_after_the_other() {
        let file = File {
            path: "a.rs".to_owned(),
            before: Some(b"one\ntwo\nthree\nfour\n".to_vec()),
            after: Some(b"zero\none\nthree\nfive\nsix\n".to_vec()),
            hunks: [((0, 0), (0, 1)), ((1, 1), (2, 0)), ((3, 1), (3, 2))]
                .map(|(before, after)| Hunk { before, after })
                .to_vec(),
        };
        assert_eq!(
            states(&file),
            [
                "zero\none\ntwo\nthree\nfour\n",
                "zero\none\nthree\nfour\n",
                "zero\none\nthree\nfive\nsix\n"
            ]
        );
    }

    #[test]
    fn comments_are_no_code() {
        let plain = code("fn a() { b(1) }");
        assert_eq!(code("/// x\nfn a() { /* y */ b( 1 ) } // z"), plain);
        assert_ne!(code("#[inline] fn a() { b(1) }"), plain);
        assert_ne!(code("fn a() { b(2) }"), plain);
        assert_eq!(code("fn a() {"), None);
    }
}
