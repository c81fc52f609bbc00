//! What the user's profiles say of optimisation, as manifests and configuration files hold them.
//!
//! Knows nothing of which profile a build takes, but for the names of cargo's own.

use toml::Value;

/// Profiles that optimise unless somebody says otherwise: a program that isn't optimised was built
/// with another one.
const OPTIMISED: [&str; 2] = ["release", "bench"];

/// Whether a manifest or a configuration says that all crates or some are optimised, in a profile
/// in which others aren't. What can't be read may say so.
pub(crate) fn optimise_some(text: &str) -> bool {
    if !text.contains("opt-level") {
        return false;
    }
    let Ok(file) = text.parse::<toml::Table>() else {
        return true;
    };
    let profiles = file.get("profile").and_then(Value::as_table);
    let mut profiles = profiles.into_iter().flatten();
    profiles.any(|(name, profile)| {
        let packages = profile.get("package").and_then(Value::as_table);
        let mut packages = packages.into_iter().flatten();
        let is_own = !OPTIMISED.contains(&name.as_str());
        packages.any(|(_, package)| is_optimised(package)) || is_own && is_optimised(profile)
    })
}

fn is_optimised(profile: &Value) -> bool {
    match profile.get("opt-level") {
        None => false,
        Some(level) => level.as_integer() != Some(0) && level.as_str() != Some("0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_that_optimise_dependencies() {
        for text in [
            "[profile.dev.package.\"*\"]\nopt-level = 3",
            "[profile.dev]\nopt-level = 1\n[profile.dev.package.app]\nopt-level = 0",
            "profile.fast = { inherits = \"dev\", package.image.opt-level = \"s\" }",
            "opt-level = [profile",
        ] {
            assert!(optimise_some(text), "{text}");
        }
        for text in [
            "[package]\nname = \"app\"",
            "[profile.release]\nopt-level = \"z\"",
            "[profile.dev.package.app]\nopt-level = 0",
            "[profile.dev.build-override]\nopt-level = 3",
        ] {
            assert!(!optimise_some(text), "{text}");
        }
    }
}
