//! The pre-flight check: were host and plugin built against the same shared types, by the same
//! compiler?
//!
//! `shared!()` leaves a line about its crate in every image that contains it; see the macro for
//! what the line says. This crate has one too: its types cross the border with every call. A type
//! that is the same by these lines has the same layout on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use serde::Deserialize;

use super::error::{OtherTypes, PluginError};

soft_mock_macros::shared!();

/// This crate, as its own record names it.
const OWN: &str = "soft_mock";

/// What a crate of shared types was built from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct Record {
    #[serde(rename = "crate")]
    name: String,
    version: String,
    rustc: String,
    metadata: String,
    features: String,
    flags: String,
    sources: String,
    dependencies: String,
}

/// Part of the flags of whatever was built to be patched.
const OF_HOT: &str = "link-dead-code";

const ABOUT_PATCHABLE: &str = "; a plugin for a host under `hot cargo run` is made by \
                               `hot build --patchable`, and one for any other host without that";

impl Record {
    fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Whether cargo has given both crates one hash.
    pub(crate) fn has_hash_of(&self, other: &Self) -> bool {
        self.metadata == other.metadata
    }

    /// What is different in `other`, most telling first.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let parts = [
            ("compiler", &self.rustc, &other.rustc),
            ("version", &self.version, &other.version),
            ("features", &self.features, &other.features),
            ("compiler flags", &self.flags, &other.flags),
            ("sources", &self.sources, &other.sources),
            ("dependencies", &self.dependencies, &other.dependencies),
            ("cargo's hash", &self.metadata, &other.metadata),
        ];
        let different = parts.iter().find(|(_, theirs, ours)| theirs != ours);
        match different {
            Some(("dependencies", theirs, ours)) => other_dependencies(theirs, ours),
            Some((what, theirs, ours)) => {
                let is_of_hot = [theirs, ours].map(|flags| flags.contains(OF_HOT));
                let advice = match is_of_hot {
                    [true, false] | [false, true] => ABOUT_PATCHABLE,
                    _ => "",
                };
                format!("{what}: `{theirs}` there, `{ours}` here{advice}")
            }
            None => "nothing that is recorded".to_owned(),
        }
    }
}

/// Which of the dependencies of two records, each `name=hash`, differ.
fn other_dependencies(theirs: &str, ours: &str) -> String {
    let [theirs, ours] = [theirs, ours].map(|all| all.split(' ').collect::<BTreeSet<&str>>());
    let name = |each: &&str| each.split('=').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = theirs.symmetric_difference(&ours).map(name).collect();
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    format!(
        "its dependencies {} were compiled from other sources, or with other features of theirs or of what they need: `hot build` names these",
        names.join(", ")
    )
}

/// The crates that a set is built against, and by whom each is vouched for.
#[derive(Debug)]
pub(crate) struct Known(BTreeMap<String, Vec<(Record, Voucher)>>);

#[derive(Debug, Clone)]
enum Voucher {
    Host,
    Plugin(String),
}

impl fmt::Display for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Voucher::Host => f.write_str("the host"),
            Voucher::Plugin(name) => write!(f, "plugin `{name}`"),
        }
    }
}

impl Known {
    /// What the host was built against.
    pub(crate) fn of_host() -> Self {
        let mut known = Self(BTreeMap::new());
        for record in parse(own_section()) {
            known
                .0
                .entry(record.name.clone())
                .or_default()
                .push((record, Voucher::Host));
        }
        known
    }

    /// Checks a plugin that was built by `rustc` and against what `section` says; what only it uses
    /// counts for the plugins that come after it.
    pub(crate) fn check(
        &mut self,
        plugin: &str,
        rustc: &str,
        section: &[u8],
    ) -> Result<(), PluginError> {
        let ours = self
            .0
            .get(OWN)
            .and_then(|records| records.first())
            .map(|(record, _)| record.rustc.clone());
        let ours = ours.unwrap_or_default();
        if rustc != ours {
            return Err(PluginError::OtherCompiler {
                plugin: plugin.to_owned(),
                theirs: rustc.to_owned(),
                ours,
            });
        }
        let records = parse(section);
        if !records.iter().any(|record| record.name == OWN) {
            return Err(PluginError::NoRecord {
                plugin: plugin.to_owned(),
            });
        }
        for record in &records {
            self.compare(plugin, record)?;
        }
        for record in records {
            let known = self.0.entry(record.name.clone()).or_default();
            if known.is_empty() {
                known.push((record, Voucher::Plugin(plugin.to_owned())));
            }
        }
        Ok(())
    }

    fn compare(&self, plugin: &str, theirs: &Record) -> Result<(), PluginError> {
        let known = self
            .0
            .get(&theirs.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if known.is_empty() {
            return Ok(());
        }
        let same = |(ours, _): &(Record, Voucher)| ours == theirs;
        // Of several variants a type says by its id which one it is of. This crate's own types are
        // met before any id is compared, and one variant of it can't tell that it isn't another.
        let fits = match theirs.name == OWN {
            true => known.iter().all(same),
            false => known.iter().any(same),
        };
        if fits {
            return Ok(());
        }
        let (ours, with) = known.iter().find(|known| !same(known)).unwrap_or(&known[0]);
        Err(PluginError::from(Box::new(OtherTypes {
            plugin: plugin.to_owned(),
            krate: theirs.name.clone(),
            with: with.to_string(),
            theirs: theirs.fingerprint(),
            ours: ours.fingerprint(),
            difference: theirs.difference(ours),
        })))
    }
}

/// The crate of the plugin that this image is. Empty in a host.
static PLUGIN: OnceLock<&str> = OnceLock::new();

/// Notes the crate of the plugin that this image is: as it differs from version to version, no
/// record speaks for it, not even one of a crate with its name.
pub(crate) fn set_plugin(krate: &'static str) {
    // The first stays: an image is entered once.
    let _ = PLUGIN.set(krate);
}

/// What this image's crates of that name have left in it.
pub(crate) fn own_records(krate: &str) -> &'static [Record] {
    static RECORDS: OnceLock<BTreeMap<String, Vec<Record>>> = OnceLock::new();
    if PLUGIN.get().is_some_and(|plugin| *plugin == krate) {
        return &[];
    }
    let records = RECORDS.get_or_init(|| {
        let mut records: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in parse(own_section()) {
            records.entry(record.name.clone()).or_default().push(record);
        }
        records
    });
    records.get(krate).map(Vec::as_slice).unwrap_or_default()
}

fn parse(section: &[u8]) -> Vec<Record> {
    let lines = section.split(|byte| *byte == b'\n' || *byte == 0);
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

unsafe extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(shared))]
    static START: u8;
    #[link_name = concat!("__stop_", soft_mock_abi::section!(shared))]
    static STOP: u8;
}

/// The lines of this image.
fn own_section() -> &'static [u8] {
    let start = &raw const START;
    let length = (&raw const STOP).addr() - start.addr();
    // SAFETY: the linker sets the symbols to the section's bounds, and it holds initialised bytes
    // only.
    unsafe { std::slice::from_raw_parts(start, length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(replace: &str, by: &str) -> String {
        let own = own_section();
        let text = String::from_utf8_lossy(own).replace("\"soft_mock\"", "\"shapes\"");
        let mut all = String::from_utf8_lossy(own).into_owned();
        all.push_str(&text);
        all.replace(replace, by)
    }

    fn rustc() -> String {
        parse(own_section())[0].rustc.clone()
    }

    #[test]
    fn this_crate_has_a_record() {
        let records = parse(own_section());
        assert!(
            records
                .iter()
                .any(|record| record.name == OWN && !record.metadata.is_empty()),
            "{records:?}"
        );
    }

    #[test]
    fn who_was_built_under_hot_is_told_how_plugins_are() {
        let record = |flags: &str| Record {
            flags: flags.to_owned(),
            ..parse(own_section()).swap_remove(0)
        };
        let (plain, of_hot) = (
            record("edition=2021"),
            record("edition=2021 link-dead-code"),
        );
        let optimised = record("edition=2021 opt-level=3");
        for (theirs, ours, told) in [
            (&plain, &of_hot, true),
            (&of_hot, &plain, true),
            (&plain, &optimised, false),
        ] {
            let difference = theirs.difference(ours);
            assert!(
                difference.starts_with("compiler flags: `edition"),
                "{difference}"
            );
            assert_eq!(difference.ends_with(ABOUT_PATCHABLE), told, "{difference}");
        }
    }

    #[test]
    fn what_is_equal_passes_and_what_differs_names_both_sides() {
        let mut known = Known::of_host();
        known
            .check("a", &rustc(), line("", "").as_bytes())
            .expect("equal");
        let other = line("\"shapes\",\"version\":\"", "\"shapes\",\"version\":\"9");
        let error = known
            .check("b", &rustc(), other.as_bytes())
            .expect_err("other shapes")
            .to_string();
        assert!(
            error.contains("`b` was built against another `shapes` than plugin `a`"),
            "{error}"
        );
        assert!(error.contains("version: `9"), "{error}");
    }

    #[test]
    fn a_host_with_two_variants_of_this_crate_takes_no_plugin() {
        let mut known = Known::of_host();
        let (mut other, voucher) = known.0[OWN][0].clone();
        other.features = "others".to_owned();
        let own = known.0.entry(OWN.to_owned()).or_default();
        own.insert(0, (other, voucher));
        let error = known.check("a", &rustc(), line("", "").as_bytes());
        let error = error.expect_err("two variants").to_string();
        assert!(
            error.contains("(features: `") && error.contains("` there, `others` here)"),
            "{error}"
        );
    }

    #[test]
    fn dependencies_that_differ_are_named() {
        let difference = other_dependencies("log=1 serde=2 syn=3", "log=1 serde=4 tracing=5");
        let start =
            "its dependencies `serde`, `syn`, `tracing` were compiled from other sources, or with";
        assert!(difference.starts_with(start), "{difference}");
    }

    #[test]
    fn another_compiler_or_no_record_is_refused() {
        let mut known = Known::of_host();
        assert!(matches!(
            known.check("a", "rustc 1.0", b""),
            Err(PluginError::OtherCompiler { .. })
        ));
        assert!(matches!(
            known.check("a", &rustc(), b"not a record"),
            Err(PluginError::NoRecord { .. })
        ));
    }
}
