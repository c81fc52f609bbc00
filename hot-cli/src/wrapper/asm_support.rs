//! Whether the checks of a unit are written in assembly.
//!
//! Only where that is known to work and is faster: unoptimised, for x86-64, by a compiler of a
//! version that has what is needed, with its usual code generator. Knows nothing of how a check
//! reads.

use soft_mock_rewriter::instrument::PrologueCheck;

use crate::rustc::unit::Unit;

/// The first version, 1.x, with `label` operands in assembly.
const LABELS: u32 = 87;

/// How the prologues of a unit find out that their sites are used.
pub(super) fn of(unit: &Unit) -> PrologueCheck {
    let args = unit.rustc_args();
    let target = args.value("--target").unwrap_or(std::env::consts::ARCH);
    let other = |arg: &String| arg.contains("sanitizer=") || arg.contains("codegen-backend=");
    let possible = minor(&unit.version).is_some_and(|minor| minor >= LABELS)
        && is_x86_64(target)
        && !unit.args.iter().any(other);
    match possible && !args.is_optimised() {
        true => PrologueCheck::Assembly,
        false => PrologueCheck::Atomic,
    }
}

/// A target's name, or that of an architecture. With pointers of 32 bits, a hook is one half of
/// what is read.
fn is_x86_64(target: &str) -> bool {
    target.split('-').next() == Some("x86_64") && !target.ends_with("x32")
}

/// Of `rustc 1.95.0 (…)`: 95.
fn minor(version: &str) -> Option<u32> {
    let number = version.strip_prefix("rustc 1.")?;
    number.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(minor("rustc 1.95.0 (59807616e 2026-04-14)"), Some(95));
        assert_eq!(
            minor("rustc 1.97.0-nightly (4d1f98451 2026-05-15)"),
            Some(97)
        );
        assert_eq!(minor("rustc 2.0.0"), None);
        assert_eq!(minor("clippy 0.1.95"), None);
    }

    #[test]
    fn only_pointers_of_64_bits() {
        assert!(is_x86_64("x86_64"));
        assert!(is_x86_64("x86_64-unknown-linux-gnu"));
        assert!(!is_x86_64("x86_64-unknown-linux-gnux32"));
        assert!(!is_x86_64("aarch64-unknown-linux-gnu"));
    }
}
