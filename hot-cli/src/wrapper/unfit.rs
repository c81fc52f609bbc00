//! Crates that are compiled as they are, by what their call of rustc says.
//!
//! Knows nothing of sources: what can't be rewritten is found out later.

use crate::rustc::args::RustcArgs;
use crate::rustc::unit::UnitKind;

pub(crate) const MACRO: &str = "it is a proc-macro crate";

pub(crate) const STATIC: &str =
    "it is linked statically (`+crt-static`): such a program can't load patches";

pub(crate) const DYLIB: &str =
    "it is a `dylib`: only what becomes part of the program itself can be patched";

/// Why a crate can't have sites at all.
pub(super) fn of(kind: UnitKind, args: &RustcArgs) -> Option<String> {
    if kind == UnitKind::Macro {
        return Some(MACRO.to_owned());
    }
    if let Some(target) = args.value("--target") {
        let host = cfg!(target_arch = "x86_64") && target.starts_with("x86_64-");
        if !(host && target.ends_with("-linux-gnu")) {
            return Some(format!(
                "its target is {target}: programs can be patched on {} only",
                crate::os::TARGET
            ));
        }
    }
    if args.is_static() {
        return Some(STATIC.to_owned());
    }
    if args.crate_types().contains(&"dylib") {
        return Some(DYLIB.to_owned());
    }
    let lto = args
        .codegen("lto")
        .is_some_and(|lto| !["off", "no", "n", "false"].contains(&lto));
    if lto || args.codegen("linker-plugin-lto").is_some() {
        return Some(
            "link-time optimisation is on; set `lto = \"off\"` for this profile to patch it"
                .to_owned(),
        );
    }
    None
}
