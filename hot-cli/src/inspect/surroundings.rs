//! What around a project keeps patches out or makes them late: how it is linked, where it lies, who
//! else has its programs in hand. Each with a line of advice.
//!
//! Knows nothing of sources.

use std::path::Path;

use super::advice::Advice;
use crate::{os, remote};

/// What is to be said of the project at this root, as this profile builds it.
pub(super) fn of_project(root: &Path, release: bool) -> Vec<Advice> {
    let mut all = Vec::new();
    let profile = if release { "release" } else { "dev" };
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    all.extend(link_time_optimisation(&manifest, profile));
    if let Some(kind) = os::files::remote_kind(root) {
        all.push(Advice::new(
            format!("the project lies on {kind}, where saves may come without an event"),
            "hot notices that and looks at files again and again; --poll does so from the start",
        ));
    }
    for pid in remote::programs_here() {
        if let Some(tracer) = os::tracer(pid) {
            all.push(Advice::new(
                format!("process {tracer} ({}) traces pid {pid}, as debuggers do", os::name(tracer)),
                "while it holds the program, patches wait; set breakpoints of a patched function again",
            ));
        }
    }
    all
}

fn link_time_optimisation(manifest: &str, profile: &str) -> Option<Advice> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let lto = manifest.get("profile")?.get(profile)?.get("lto")?;
    let is_on = match lto {
        toml::Value::Boolean(on) => *on,
        toml::Value::String(kind) => !["off", "no", "n", "false"].contains(&kind.as_str()),
        _ => false,
    };
    is_on.then(|| {
        Advice::new(
            format!(
                "`lto = {lto}` in the profile `{profile}`: nothing that is built so can be patched"
            ),
            format!("set `lto = \"off\"` in [profile.{profile}], or run another profile"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimisation_by_the_linker_is_told_for_its_profile() {
        let lto = |value: &str, profile: &str| {
            let manifest = format!("[profile.release]\nlto = {value}\n");
            link_time_optimisation(&manifest, profile).map(|advice| advice.what)
        };
        let told = lto("\"thin\"", "release").expect("advice");
        assert!(
            told.starts_with("`lto = \"thin\"` in the profile `release`"),
            "{told}"
        );
        assert!(lto("true", "release").is_some());
        assert_eq!(lto("true", "dev"), None);
        assert_eq!(lto("\"off\"", "release"), None);
        assert_eq!(lto("false", "release"), None);
    }
}
