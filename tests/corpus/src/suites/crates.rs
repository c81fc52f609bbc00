//! The crates whose suites are run: small and large, async, without std, with proc macros, build
//! scripts and heavy macros, editions 2015 to 2024. Their published packages hold their tests.

use anyhow::{bail, Result};

use crate::package::Published;

const fn package(name: &'static str, version: &'static str) -> Published {
    Published { name, version }
}

/// `semver` is small enough for every change.
const CRATES: &[Published] = &[
    package("fastrand", "2.5.0"),
    package("semver", "1.0.28"),
    package("itoa", "1.0.18"),
    package("ryu", "1.0.18"),
    package("bytes", "1.12.1"),
    package("smallvec", "1.15.2"),
    package("either", "1.15.0"),
    package("hex", "0.4.3"),
    package("bitflags", "2.13.2"),
    package("indexmap", "2.14.2"),
    package("once_cell", "1.21.4"),
    package("anyhow", "1.0.104"),
    package("thiserror", "2.0.21"),
    package("lazy_static", "1.5.1"),
    package("memchr", "2.8.3"),
    package("aho-corasick", "1.1.5"),
    package("httparse", "1.10.1"),
    package("http", "1.5.0"),
    package("unicode-segmentation", "1.13.3"),
    package("walkdir", "2.5.0"),
    package("globset", "0.4.21"),
    package("ignore", "0.4.34"),
    package("tempfile", "3.27.0"),
    package("serde_json", "1.0.154"),
    package("toml", "1.2.1"),
    package("textwrap", "0.16.1"),
    package("strsim", "0.11.1"),
    package("slab", "0.4.12"),
    package("regex-syntax", "0.8.11"),
    package("mini-redis", "0.4.1"),
    package("fd-find", "10.5.0"),
    package("ripgrep", "14.1.1"),
    package("fnv", "1.0.7"),
    package("matches", "0.1.10"),
    package("heck", "0.5.0"),
    package("arrayvec", "0.7.8"),
    package("async-channel", "2.5.0"),
    package("async-lock", "3.5.0"),
];

/// The crates of these names; all if there are none.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Published>> {
    if let Some(name) = names
        .iter()
        .find(|name| CRATES.iter().all(|known| known.name != **name))
    {
        let all: Vec<&str> = CRATES.iter().map(|package| package.name).collect();
        bail!("no crate `{name}`; there are {}", all.join(", "));
    }
    let is_wanted =
        |package: &&Published| names.is_empty() || names.iter().any(|name| name == package.name);
    Ok(CRATES.iter().filter(is_wanted).copied().collect())
}
