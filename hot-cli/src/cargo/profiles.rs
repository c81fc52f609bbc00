//! What the user's profiles say of optimisation, as manifests, configuration files, commands and
//! variables hold them.
//!
//! Knows nothing of which profile a build takes.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use toml::{Table, Value};

/// Profiles that cargo knows by itself, and whether they optimise.
const CARGOS: [(&str, bool); 4] = [
    ("dev", false),
    ("test", false),
    ("release", true),
    ("bench", true),
];

/// At most so many profiles inherit from each other.
const INHERITED_MAX: usize = 16;

/// Whether a manifest or a configuration has a profile in which some crates are optimised and
/// others aren't. What can't be read may say so.
pub(crate) fn optimise_some(text: &str) -> bool {
    if !text.contains("opt-level") {
        return false;
    }
    let Ok(file) = text.parse::<Table>() else {
        return true;
    };
    let Some(profiles) = file.get("profile").and_then(Value::as_table) else {
        return false;
    };
    profiles.iter().any(|(name, profile)| {
        let packages = profile.get("package").and_then(Value::as_table);
        let packages = packages.into_iter().flatten();
        let levels: Vec<bool> = packages
            .filter_map(|(_, package)| is_optimised(package))
            .collect();
        let others = of_profile(profiles, name);
        levels.iter().any(|level| others != Some(*level))
    })
}

/// Whether a profile optimises what it says nothing else of. None: that stands in another file.
fn of_profile(profiles: &Table, name: &str) -> Option<bool> {
    let mut name = name;
    for _ in 0..INHERITED_MAX {
        let profile = profiles.get(name);
        if let Some(level) = profile.and_then(is_optimised) {
            return Some(level);
        }
        if let Some((_, level)) = CARGOS.iter().find(|(cargos, _)| *cargos == name) {
            return Some(*level);
        }
        name = profile?.get("inherits")?.as_str()?;
    }
    None
}

fn is_optimised(profile: &Value) -> Option<bool> {
    let level = profile.get("opt-level")?;
    Some(level.as_integer() != Some(0) && level.as_str() != Some("0"))
}

/// Whether what a command gives cargo with `--config`, or the file that it names, says anything of
/// optimisation.
pub(crate) fn is_about_optimisation(config: &OsStr) -> bool {
    const KEY: &str = "opt-level";
    let text = config.to_string_lossy();
    let in_file = || std::fs::read_to_string(config).is_ok_and(|text| text.contains(KEY));
    text.contains(KEY) || in_file()
}

/// Whether a variable of cargo's optimises in a profile that doesn't by itself.
pub(crate) fn variables_optimise(variables: &BTreeMap<String, String>) -> bool {
    let mut set = variables.iter().filter_map(|(name, level)| {
        let profile = name.strip_prefix("CARGO_PROFILE_")?;
        let profile = profile.strip_suffix("_OPT_LEVEL")?.to_ascii_lowercase();
        (level != "0" && !profile.ends_with("_build_override")).then_some(profile)
    });
    set.any(|profile| !CARGOS.contains(&(&profile, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_that_optimise_some() {
        for text in [
            "[profile.dev.package.\"*\"]\nopt-level = 3",
            "[profile.dev]\nopt-level = 1\n[profile.dev.package.app]\nopt-level = 0",
            "[profile.release.package.app]\nopt-level = 0",
            "profile.fast = { inherits = \"dev\", package.image.opt-level = \"s\" }",
            "profile.fast = { inherits = \"release\", package.app.opt-level = 0 }",
            "profile.fast = { inherits = \"fast\", package.app.opt-level = 0 }",
            "profile.fast = { package.app.opt-level = 0 }",
            "opt-level = [profile",
        ] {
            assert!(optimise_some(text), "{text}");
        }
        for text in [
            "[package]\nname = \"app\"",
            "[profile.release]\nopt-level = \"z\"",
            "[profile.release.package.app]\nopt-level = \"s\"",
            "[profile.dev.package.app]\nopt-level = 0",
            "[profile.dev.build-override]\nopt-level = 3",
        ] {
            assert!(!optimise_some(text), "{text}");
        }
    }

    #[test]
    fn variables_that_optimise() {
        let optimise = |name: &str, level: &str| {
            variables_optimise(&BTreeMap::from([(name.to_owned(), level.to_owned())]))
        };
        assert!(optimise("CARGO_PROFILE_DEV_OPT_LEVEL", "3"));
        assert!(optimise("CARGO_PROFILE_FAST_OPT_LEVEL", "s"));
        assert!(!optimise("CARGO_PROFILE_DEV_OPT_LEVEL", "0"));
        assert!(!optimise("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"));
        assert!(!optimise("CARGO_PROFILE_DEV_BUILD_OVERRIDE_OPT_LEVEL", "3"));
        assert!(!optimise("CARGO_PROFILE_DEV_LTO", "thin"));
    }
}
