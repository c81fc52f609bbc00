//! Pages of the program's server are shown again after patches and restarts: `--browser`.
//!
//! Knows nothing of how pages are shown.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::Sender;

use anyhow::Result;

use crate::browser::{Browser, News, Ports, Untouched};
use crate::ui::Event as Told;

/// As long as this lives.
pub(crate) struct Pages {
    browser: Browser,
    /// The port at which they are shown, as soon as it was told; 0 until then.
    port: AtomicU16,
}

impl Pages {
    pub(crate) fn start<E: From<News> + Send + 'static>(
        ports: Ports,
        events: Sender<E>,
    ) -> Result<Self> {
        // The session may have ended meanwhile.
        let tell = move |news: News| drop(events.send(news.into()));
        Ok(Self {
            browser: Browser::start(ports, tell)?,
            port: AtomicU16::new(0),
        })
    }

    /// The port at which pages are shown, as soon as that is known.
    pub(crate) fn port(&self) -> Option<u16> {
        Some(self.port.load(Ordering::Relaxed)).filter(|port| *port != 0)
    }

    /// The user is told something.
    pub(crate) fn told(&self, event: &Told) {
        if changes_what_runs(event) {
            self.browser.changed();
        }
        if let Told::PagesShown { pages, .. } = event {
            self.port.store(*pages, Ordering::Relaxed);
        }
    }

    /// The program consists of these processes.
    pub(crate) fn joined(&self, pids: Vec<u32>) {
        self.browser.joined(pids);
    }
}

fn changes_what_runs(event: &Told) -> bool {
    match event {
        Told::Patched { functions, .. } | Told::Restored { functions, .. } => !functions.is_empty(),
        Told::RolledBack { done, .. } => !done.undone.is_empty(),
        Told::Restarted | Told::StartedAgain => true,
        _ => false,
    }
}

/// What is said of it.
pub(crate) fn said(news: News) -> Told {
    match news {
        News::Shown {
            server,
            pages,
            others,
        } => Told::PagesShown {
            server,
            pages,
            others,
        },
        News::NobodyListens(Some(port)) => Told::Warning(format!(
            "nobody listens at port {port}, where --browser expects the server"
        )),
        News::NobodyListens(None) => Told::Warning(
            "the program listens at no port of this machine: there are no pages to show \
             (--browser=PORT, if another program serves them)"
                .to_owned(),
        ),
        News::Untouched { page, why } => Told::Warning(match why {
            Untouched::Policy => format!(
                "{page} won't refresh itself: its Content-Security-Policy keeps the script out \
                 (script-src 'self' and connect-src 'self' let it in)"
            ),
            Untouched::Compressed => format!(
                "{page} won't refresh itself: the server compresses it although the request asked \
                 for `identity`"
            ),
        }),
        News::Failed(why) => Told::Error(why),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ui::FunctionPlace;

    #[test]
    fn pages_are_old_after_patches_and_restarts() {
        let patched = |functions| Told::Patched {
            functions,
            elapsed: Duration::ZERO,
            because: None,
            keep: Vec::new(),
        };
        let function = FunctionPlace {
            name: "shop::index".to_owned(),
            file: "src/main.rs".to_owned(),
            line: 1,
        };
        assert!(changes_what_runs(&patched(vec![function])));
        assert!(changes_what_runs(&Told::Restarted));
        assert!(!changes_what_runs(&patched(Vec::new())));
        assert!(!changes_what_runs(&Told::Paused));
    }
}
