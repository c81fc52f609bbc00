//! Changes texts by chance: tokens, lines and whole generated items.

use fastrand::Rng;

/// What is put where another token was.
const TOKENS: [&str; 36] = [
    "fn",
    "impl",
    "async",
    "const",
    "unsafe",
    "move",
    "mut",
    "ref",
    "self",
    "Self",
    "super",
    "crate",
    "dyn",
    "where",
    "for",
    "'a",
    "'_",
    "&",
    "&&",
    "*",
    "->",
    "=>",
    "::",
    "<",
    ">",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    "!",
    "r#type",
    "#[cfg(test)]",
];

/// Words in which a text is mutated: names, literals, single signs.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices() {
        match (letter.is_alphanumeric() || letter == '_', start) {
            (true, None) => start = Some(at),
            (false, began) => {
                words.extend(began.map(|began| began..at));
                start = None;
                if !letter.is_whitespace() {
                    words.push(at..at + letter.len_utf8());
                }
            }
            (true, Some(_)) => {}
        }
    }
    words
}

/// One change of the text.
pub(crate) fn mutate(text: &str, rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0..=3 => change_word(text, rng),
        4 | 5 => change_lines(text, rng),
        _ => add_item(text, rng),
    }
}

fn change_word(text: &str, rng: &mut Rng) -> String {
    let words = words(text);
    if words.len() < 2 {
        return text.to_owned();
    }
    let at = rng.usize(..words.len() - 1);
    let (word, next) = (words[at].clone(), words[at + 1].clone());
    let mut changed = text.to_owned();
    match rng.u8(..4) {
        0 => changed.replace_range(word, ""),
        1 => changed.insert_str(word.end, &format!(" {}", &text[word.clone()])),
        2 => {
            let between = &text[word.end..next.start];
            let swapped = format!("{}{between}{}", &text[next.clone()], &text[word.clone()]);
            changed.replace_range(word.start..next.end, &swapped);
        }
        _ => changed.replace_range(word, &format!(" {} ", rng.choice(TOKENS).unwrap_or(";"))),
    }
    changed
}

fn change_lines(text: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.len() < 2 {
        return text.to_owned();
    }
    let (one, other) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
    match rng.u8(..5) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one]),
        2 => lines.swap(one, other),
        3 => lines.insert(one, "\n\n"),
        _ => lines[one] = lines[one].trim_end_matches(['\n', '\r']),
    }
    let text = lines.concat();
    match rng.u8(..8) {
        0 => text.replace('\n', "\r\n"),
        1 => format!("\u{feff}{text}"),
        2 => format!("#!/usr/bin/env run\n{text}"),
        _ => text,
    }
}

/// A number or a name in the text becomes another; nothing if there is none to be changed.
pub(crate) fn replace_leaf(text: &str, rng: &mut Rng) -> Option<(String, usize)> {
    let words = words(text);
    let leaves: Vec<_> = words
        .iter()
        .filter(|word| {
            text[(*word).clone()]
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .collect();
    let word = (*leaves.get(rng.usize(..leaves.len().max(1)))?).clone();
    let mut changed = text.to_owned();
    changed.replace_range(word.clone(), &format!("{}7", &text[word.clone()]));
    Some((changed, word.start))
}

fn add_item(text: &str, rng: &mut Rng) -> String {
    let item = item(rng, 0);
    // Between two items, as far as one can tell from a line's beginning.
    let starts = ["fn ", "pub ", "impl", "struct ", "mod ", "#[", "}"];
    let mut places: Vec<usize> = vec![text.len()];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if starts.iter().any(|start| line.starts_with(start)) {
            places.push(if line.starts_with('}') {
                at + line.len()
            } else {
                at
            });
        }
        at += line.len();
    }
    let place = places[rng.usize(..places.len())];
    format!("{}\n{item}\n{}", &text[..place], &text[place..])
}

/// An item made up by chance, mostly one with functions.
pub(crate) fn item(rng: &mut Rng, depth: usize) -> String {
    let name = format!("made_{}", rng.u32(..1_000_000));
    let nested = |rng: &mut Rng| match depth {
        0..=2 => (0..rng.usize(..3)).map(|_| item(rng, depth + 1)).collect(),
        _ => String::new(),
    };
    match rng.u8(..8) {
        0 => format!("mod {name} {{ {} }}", nested(rng)),
        1 => format!("impl<T: Copy> Made<T> {{ {} }}", methods(rng)),
        2 => format!(
            "impl {}Made {{ {} }}",
            pick(rng, &["", "Clone for ", "Iterator for &mut "]),
            methods(rng)
        ),
        3 => format!(
            "trait T{name} {{ const N: u8; type A; {} fn required(&self); }}",
            methods(rng)
        ),
        4 => format!(
            "{} struct S{name}{};",
            attribute(rng),
            pick(rng, &["", "(u8, pub(crate) u8)", "<T>(T) where T: Copy"])
        ),
        5 => format!(
            "macro_rules! {name} {{ ($($x:tt)*) => {{ $($x)* }} }} {name}! {{ {} }}",
            nested(rng)
        ),
        _ => function(rng, &name, false),
    }
}

fn methods(rng: &mut Rng) -> String {
    (0..rng.usize(1..4))
        .map(|number| function(rng, &format!("method_{number}"), true) + "\n")
        .collect()
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn attribute(rng: &mut Rng) -> &'static str {
    pick(
        rng,
        &[
            "",
            "",
            "",
            "#[inline]",
            "#[cfg(unix)]",
            "#[doc = \"{\"]",
            "/// a `}`\n",
            "/** { */",
            "#[must_use] #[cold]",
            "#[tokio::main]",
            "#[track_caller]",
            "#[test]",
            "#[cfg_attr(unix, inline(always))]",
            "#[r#async]",
            "#[no_mangle]",
            "#[derive(Debug)]",
        ],
    )
}

fn function(rng: &mut Rng, name: &str, method: bool) -> String {
    let visibility = pick(rng, &["", "", "pub ", "pub(crate) ", "pub(in crate) "]);
    let words = pick(
        rng,
        &[
            "",
            "",
            "",
            "const ",
            "async ",
            "unsafe ",
            "extern \"C\" ",
            "async unsafe ",
            "const unsafe extern \"C\" ",
        ],
    );
    let generics = pick(
        rng,
        &[
            "",
            "",
            "",
            "<'a>",
            "<T>",
            "<'a, 'b: 'a, T: ?Sized + 'a, const N: usize>",
            "<>",
        ],
    );
    let receiver = match method {
        true => pick(
            rng,
            &[
                "",
                "self, ",
                "&self, ",
                "&mut self, ",
                "mut self, ",
                "self: std::pin::Pin<&mut Self>, ",
            ],
        ),
        false => "",
    };
    let parameters = pick(
        rng,
        &[
            "",
            "x: u8",
            "(a, b): (u8, u8)",
            "mut x: u8, _: &str",
            "[a, .., b]: [u8; 4]",
            "Made { a, .. }: Made",
            "&x: &u8",
            "#[cfg(unix)] x: u8",
            "x: impl Fn(u8) -> u8",
            "f: fn(u8) -> u8, r#type: &dyn Send",
            "(\n    a,\n    b,\n): (u8,\n u8)",
            "x: [u8; { 3 + 4 }]",
        ],
    );
    let result = pick(
        rng,
        &[
            "",
            "-> u8",
            "-> !",
            "-> impl Iterator<Item = u8> + '_",
            "-> Result<(), Box<dyn std::error::Error>>",
            "-> [u8; { 1 }]",
            "-> Self",
            "-> (u8,)",
            "-> &'static str",
        ],
    );
    let end = pick(rng, &[" ", "\nwhere\n    u8: Copy,\n", "\n"]);
    let body = pick(
        rng,
        &[
            "",
            "loop {}",
            "\"} {\"",
            "/* { */ 1 // }\n",
            "r#\"\n{\n\"#",
            "'{'",
            "#![allow(unused)] 1",
            "//! inner {\n 2",
            "static S: u8 = 1; S",
            "fn inner() -> u8 { 1 } inner()",
            "struct Local; impl Local { fn f(&self) {} }",
            "let x = async move { 1 }; x.await",
            "match 1 { 1 => {} _ => { return Default::default() } }",
            "vec![1, 2]",
            "format!(\"{x}\n{}\", 1)",
            "unsafe { core::hint::unreachable_unchecked() }",
            "|x: u8| { x }",
            "b'\\''; 'a: loop { break 'a }",
            "use std::fmt::*; macro_rules! m { () => { 1 } } m!()",
            "let Some(x) = y else { return }; x.0.1.await?.z",
        ],
    );
    let attribute = attribute(rng);
    format!("{attribute} {visibility}{words}fn {name}{generics}({receiver}{parameters}) {result}{end}{{ {body} }}")
}
