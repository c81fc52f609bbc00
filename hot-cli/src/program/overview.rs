//! What of a program can be patched while it runs, in figures.
//!
//! Knows nothing of who wants to know.

use std::collections::BTreeMap;

use soft_mock_abi::protocol::SiteInfo;

use super::Program;
use crate::ui::Overview;

/// Of a program, and the functions that a process of it has.
pub(crate) fn overview(program: &Program, sites: &[SiteInfo]) -> Overview {
    let units = program.units.iter().map(|loaded| &loaded.unit);
    let names: BTreeMap<u64, &str> = units
        .map(|unit| (unit.id, unit.crate_name.as_str()))
        .collect();
    let name = |unit: &str| names.get(&u64::from_str_radix(unit, 16).ok()?).copied();
    Overview {
        functions: by_crate(sites, name),
        files: program.source_files(),
    }
}

/// How many of them each crate has; the one with the most first.
fn by_crate<'a>(
    sites: &[SiteInfo],
    crate_name: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(String, usize)> {
    let mut crates: BTreeMap<&str, usize> = BTreeMap::new();
    for name in sites.iter().filter_map(|site| crate_name(&site.unit)) {
        *crates.entry(name).or_default() += 1;
    }
    let mut crates: Vec<(String, usize)> = crates
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    crates.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    crates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted_by_crate() {
        let site = |unit: &str| SiteInfo {
            name: String::new(),
            file: String::new(),
            line: 1,
            signature: String::new(),
            unit: unit.into(),
            patched: false,
            running: 0,
        };
        let sites = ["2", "1", "1", "other"].map(site);
        let name = |unit: &str| match unit {
            "1" => Some("app"),
            "2" => Some("library"),
            _ => None,
        };
        let expected = [("app".to_owned(), 2), ("library".to_owned(), 1)];
        assert_eq!(by_crate(&sites, name), expected);
    }
}
