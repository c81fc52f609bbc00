//! The manifest of a plugin: JSON in a section of its own, read before any of its code can run.

use std::fmt::Write;

use soft_mock_abi::manifest::{FORMAT, PATCH};
use soft_mock_abi::section::MANIFEST;

use super::request::{PatchEntry, PatchedCrate};

/// The item that holds the manifest.
pub(super) fn manifest(options: &PatchedCrate, functions: &[PatchEntry]) -> String {
    let json = json(options, functions);
    let section = options
        .edition
        .unsafe_attribute(&format!("link_section = {MANIFEST:?}"));
    format!(
        "#[used] {section} static __SOFT_MOCK_MANIFEST: [u8; {}] = *b\"{}\";\n",
        json.len(),
        json.as_bytes().escape_ascii()
    )
}

fn json(options: &PatchedCrate, functions: &[PatchEntry]) -> String {
    let list: Vec<String> = functions.iter().map(function).collect();
    format!(
        "{{\"format\":{FORMAT},\"kind\":\"{PATCH}\",\"rustc\":{},\"unit\":\"{:016x}\",\"crate\":{},\"functions\":[{}]}}",
        string(&options.rustc),
        options.unit,
        string(&options.crate_name),
        list.join(",")
    )
}

fn function(function: &PatchEntry) -> String {
    let check = function.check.as_deref().map_or("null".to_owned(), string);
    let late = function.late.as_ref().map_or(String::new(), |[cell, ty]| {
        format!(",\"late\":{},\"type_id\":{}", string(cell), string(ty))
    });
    format!(
        "{{\"name\":{},\"signature\":{},\"symbol\":{},\"check\":{check},\"file\":{},\"line\":{}{late}}}",
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
    fn it_is_read_as_it_was_meant() {
        let options = PatchedCrate {
            rustc: "rustc 1".to_owned(),
            unit: 0xaf,
            crate_name: "app".to_owned(),
            edition: crate::syntax::edition::Edition::E2021,
        };
        let function = PatchEntry {
            name: "app::\"f\"".to_owned(),
            signature: "fn(&str)".to_owned(),
            symbol: "s".to_owned(),
            check: Some("c".to_owned()),
            late: Some(["l".to_owned(), "t".to_owned()]),
            file: "src/é.rs".to_owned(),
            line: 3,
        };
        let text = json(&options, std::slice::from_ref(&function));
        let read = soft_mock_abi::manifest::Manifest::parse(text.as_bytes()).expect("a manifest");
        assert_eq!(
            (read.unit_id().ok(), read.crate_name.as_str()),
            (Some(0xaf), "app")
        );
        assert_eq!(read.functions[0].name, function.name);
        assert_eq!(read.functions[0].check, function.check);
        let late = [&read.functions[0].late, &read.functions[0].type_id];
        assert_eq!(late, [&Some("l".to_owned()), &Some("t".to_owned())]);
        assert_eq!(
            (read.functions[0].file.as_str(), read.functions[0].line),
            ("src/é.rs", 3)
        );
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a\"b\\c\nd é"), "\"a\\\"b\\\\c\\u000ad é\"");
    }
}
