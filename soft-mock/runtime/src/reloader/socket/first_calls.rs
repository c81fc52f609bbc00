//! Looks when the new code of a patch is called for the first time, and tells the peer.
//!
//! A call makes but a note of it, so somebody has to look: ever more seldom, and only for as long
//! as there is code that wasn't called. Knows nothing of connections.

use std::thread;
use std::time::{Duration, Instant};

use soft_mock_abi::report::Installed;

/// The first and the longest pause between two looks, and which part of the time that has passed a
/// pause may be.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(2);
const PART: u32 = 8;

/// What there is to see.
pub(super) enum Seen {
    /// The functions of the patch.
    Functions(Vec<Installed>),
    /// Nobody wants to know it any more.
    Nothing,
}

/// Looks until all was called or replaced. `tell` gets what was called since the last look, and
/// says whether anybody listens.
pub(super) fn watch(
    mut look: impl FnMut() -> Seen,
    mut tell: impl FnMut(Vec<Installed>, Duration) -> bool,
) {
    let since = Instant::now();
    let mut told: Vec<String> = Vec::new();
    loop {
        let Seen::Functions(functions) = look() else {
            return;
        };
        let waits = functions
            .iter()
            .any(|function| function.called == Some(false));
        let is_new =
            |function: &Installed| function.called == Some(true) && !told.contains(&function.name);
        let called: Vec<Installed> = functions.into_iter().filter(is_new).collect();
        if !called.is_empty() {
            told.extend(called.iter().map(|function| function.name.clone()));
            if !tell(called, since.elapsed()) {
                return;
            }
        }
        if !waits {
            return;
        }
        thread::sleep((since.elapsed() / PART).clamp(SHORTEST, LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, called: Option<bool>) -> Installed {
        Installed {
            name: name.to_owned(),
            file: "src/main.rs".to_owned(),
            line: 1,
            running: 0,
            restored: false,
            called,
        }
    }

    /// What is told, if each look sees the next of these.
    fn told(looks: &[&[Option<bool>]], listens: bool) -> Vec<Vec<String>> {
        let mut looks = looks.iter();
        let look = || match looks.next() {
            None => Seen::Nothing,
            Some(all) => Seen::Functions(
                all.iter()
                    .zip(["a", "b"])
                    .map(|(called, name)| function(name, *called))
                    .collect(),
            ),
        };
        let mut told = Vec::new();
        watch(look, |called, _| {
            told.push(called.into_iter().map(|function| function.name).collect());
            listens
        });
        assert!(looks.next().is_none(), "it should have gone on looking");
        told
    }

    #[test]
    fn each_is_told_once_and_nobody_looks_longer_than_needed() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(
            told(&[&[no, no], &[yes, no], &[yes, no], &[yes, yes]], true),
            [["a"], ["b"]]
        );
        assert_eq!(told(&[&[yes, yes]], true), [["a", "b"]]);
        // Replaced by another patch.
        assert_eq!(told(&[&[no, no], &[None, None]], true), [[""; 0]; 0]);
        // The peer is gone.
        assert_eq!(told(&[&[yes, no]], false), [["a"]]);
    }
}
