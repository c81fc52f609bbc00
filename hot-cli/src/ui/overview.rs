//! The words of a session's start and end: why the first build compiles, what can be patched, what
//! it came to.
//!
//! Knows nothing of how any of it was found out.

use std::time::Duration;

use super::wording::{counted, listed};

/// Why crates are compiled that cargo may have built already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compiling {
    /// They never were, under `hot`.
    New,
    /// Another build of `hot` has compiled them.
    OtherHot,
    /// They were, with other features or another compiler.
    OtherOptions,
}

/// What a session has to do with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overview {
    /// How many functions of each crate can be patched.
    pub(crate) functions: Vec<(String, usize)>,
    /// The files that the compiler read; manifests and the like are watched besides.
    pub(crate) files: usize,
}

/// What a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) patches: usize,
    pub(crate) restarts: usize,
    /// None: no build was measured that one could hold against it.
    pub(crate) saved: Option<Saved>,
}

/// What the patches saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saved {
    /// How long building would have taken, each time.
    pub(crate) by_building: Duration,
    /// How long the patches took instead.
    pub(crate) by_patching: Duration,
    /// The build that was measured.
    pub(crate) build: Duration,
}

impl Compiling {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::New => {
                "the first build under hot compiles your crates once more, with a check in each function; \
                 what cargo has built stays beside it"
            }
            Self::OtherHot => "hot is another one than before: your crates are compiled once more",
            Self::OtherOptions => {
                "these features or this compiler are new under hot: your crates are compiled once more"
            }
        }
    }
}

/// What is watched, what of it can be patched, and who helps.
pub(super) fn ready(overview: &Overview, named: &[String]) -> String {
    let Overview { functions, files } = overview;
    let count: usize = functions.iter().map(|(_, count)| count).sum();
    let crates: Vec<&str> = functions.iter().map(|(name, _)| name.as_str()).collect();
    let can = match count {
        0 => "no function can be patched".to_owned(),
        count => format!(
            "{} of {} can be patched live",
            counted(count, "function"),
            listed(&crates)
        ),
    };
    let also: String = named.iter().map(|path| format!(", {path}")).collect();
    let files = counted(*files, "source file");
    format!("watching {files}{also}: {can} (`hot doctor` says which can't, `hot --help` more)")
}

/// The last line.
pub(super) fn summary(summary: &Summary) -> String {
    let Summary {
        patches,
        restarts,
        saved,
    } = summary;
    let done = format!(
        "{}, {}",
        counted_es(*patches, "patch"),
        counted(*restarts, "restart")
    );
    let Some(saved) = saved else {
        return done;
    };
    let Saved {
        by_building,
        by_patching,
        build,
    } = *saved;
    let (difference, word) = match by_building >= by_patching {
        true => (by_building - by_patching, "saved"),
        false => (by_patching - by_building, "lost"),
    };
    format!(
        "{done}; about {} {word} against a build after each save (the shortest that was measured took {})",
        seconds(difference),
        seconds(build)
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn counted_es(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}es"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_patched_is_one_line() {
        let overview = |crates: &[(&str, usize)]| Overview {
            functions: crates
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            files: 14,
        };
        assert_eq!(
            ready(
                &overview(&[("shop", 112), ("core", 1)]),
                &["templates".to_owned()]
            ),
            "watching 14 source files, templates: 113 functions of shop, core can be patched live \
             (`hot doctor` says which can't, `hot --help` more)"
        );
        let many = ready(&overview(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]), &[]);
        assert!(
            many.contains("4 functions of a, b, c +1 more can"),
            "{many}"
        );
        assert!(ready(&overview(&[]), &[]).contains("no function can be patched"));
    }

    #[test]
    fn the_estimate_names_its_build_and_may_be_a_loss() {
        let second = Duration::from_secs(1);
        let mut all = Summary {
            patches: 12,
            restarts: 1,
            saved: None,
        };
        assert_eq!(summary(&all), "12 patches, 1 restart");
        all.saved = Some(Saved {
            by_building: 36 * second,
            by_patching: 2 * second,
            build: 3 * second,
        });
        assert_eq!(
            summary(&all),
            "12 patches, 1 restart; about 34.0 s saved against a build after each save (the shortest that was \
             measured took 3.0 s)"
        );
        all.saved = Some(Saved {
            by_building: second,
            by_patching: 2 * second,
            build: second,
        });
        assert!(
            summary(&all).contains("about 1.0 s lost"),
            "{}",
            summary(&all)
        );
    }
}
