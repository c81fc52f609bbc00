//! The manifest of a plugin: JSON in a section of its own, read before any of its code can run.

use std::fmt::Write;

use super::request::{PatchEntry, PatchedCrate};

/// The section that the loader reads.
const SECTION: &str = "soft_mock_manifest";

/// The item that holds the manifest.
pub(super) fn manifest(options: &PatchedCrate, functions: &[PatchEntry]) -> String {
    let json = json(options, functions);
    let section = options
        .edition
        .unsafe_attribute(&format!("link_section = {SECTION:?}"));
    format!(
        "#[used] {section} static __SOFT_MOCK_MANIFEST: [u8; {}] = *b\"{}\";\n",
        json.len(),
        json.as_bytes().escape_ascii()
    )
}

fn json(options: &PatchedCrate, functions: &[PatchEntry]) -> String {
    let list: Vec<String> = functions.iter().map(function).collect();
    format!(
        "{{\"format\":1,\"kind\":\"patch\",\"rustc\":{},\"unit\":\"{:016x}\",\"crate\":{},\"functions\":[{}]}}",
        string(&options.rustc),
        options.unit,
        string(&options.crate_name),
        list.join(",")
    )
}

fn function(function: &PatchEntry) -> String {
    let check = function.check.as_deref().map_or("null".to_owned(), string);
    format!(
        "{{\"name\":{},\"signature\":{},\"symbol\":{},\"check\":{check},\"file\":{},\"line\":{}}}",
        string(&function.name),
        string(&function.signature),
        string(&function.symbol),
        string(&function.file),
        function.line
    )
}

/// A JSON string.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                // Writing into a String can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a\"b\\c\nd é"), "\"a\\\"b\\\\c\\u000ad é\"");
    }
}
