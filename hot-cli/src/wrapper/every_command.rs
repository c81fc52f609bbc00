//! Where `hot init` has put this program into cargo's configuration, each command of cargo's calls
//! it: what of that is none of its business.
//!
//! Knows nothing of how it came there.

use std::path::Path;

use super::link;
use super::Purpose;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::UnitKind;

/// Where cargo puts what it builds in the profiles `dev` and `test`.
const UNOPTIMISED: &str = "debug";

/// Whether cargo is to have what it asked for: programs, and all that could be for release.
pub(super) fn is_for_cargo(kind: UnitKind, args: &RustcArgs) -> bool {
    let out_dir = args.out_dir();
    let profile = out_dir.as_deref().and_then(Path::parent);
    let profile = profile.and_then(Path::file_name);
    kind == UnitKind::Bin || profile != Some(UNOPTIMISED.as_ref())
}

/// Why nothing is rewritten, where another build of `hot` was put there: cargo knows that one's
/// path, and takes what it has compiled for fresh.
pub(super) fn outdated(purpose: Purpose) -> Option<String> {
    let own = std::env::args_os().next()?;
    let is_current = || link::wrapper(purpose).is_ok_and(|wrapper| wrapper == Path::new(&own));
    (purpose == Purpose::EveryCommand && !is_current()).then(|| {
        "`hot` is another one than when `hot init` was run: run it again, or `hot init --remove`"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_other_profiles_are_cargos() {
        let check = |kind, out_dir: &str| {
            let words = ["--crate-name", "a", "--out-dir", out_dir];
            is_for_cargo(kind, &RustcArgs::new(words.map(str::to_owned).to_vec()))
        };
        assert!(!check(UnitKind::Test, "/a/target/debug/deps"));
        assert!(!check(
            UnitKind::Lib,
            "/a/target/x86_64-unknown-linux-gnu/debug/deps"
        ));
        assert!(check(UnitKind::Bin, "/a/target/debug/deps"));
        assert!(check(UnitKind::Lib, "/a/target/release/deps"));
        assert!(check(UnitKind::Lib, "/debug/target/release/deps"));
    }
}
