//! Pages that refresh themselves: `--browser`.
//!
//! A proxy on this machine shows the pages of a server, and puts a small script into each. A page
//! asks what runs, and waits for the answer until something else does and the server listens; then
//! it loads itself again.
//!
//! ```text
//! browser ── / ──────────► proxy ──────► server
//!         ◄─ page, tag ───       ◄─ page
//!         ── /.hot/next ─►       … patched, restarted …
//!         ◄─ a state ─────
//! ```
//!
//! Knows nothing of why something else runs, nor of how anything is said.

mod answers;
mod find;
mod headers;
mod policy;
mod ports;
mod proxy;
mod script;
mod state;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use anyhow::{bail, Context, Result};
use tokio::sync::watch;

use find::Found;
use state::State;

pub(crate) use ports::Ports;

/// What a user may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The pages of the server at this port are shown at that one; it listens at others as well.
    Shown {
        server: u16,
        pages: u16,
        others: Vec<u16>,
    },
    /// Nobody listens, at this port if one is named.
    NobodyListens(Option<u16>),
    /// A page was passed on as it is.
    Untouched { page: String, why: Untouched },
    /// No page is shown at all.
    Failed(String),
}

/// Why a page was passed on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Untouched {
    /// Its `Content-Security-Policy` keeps the script out.
    Policy,
    /// It was compressed although that wasn't asked for.
    Compressed,
}

/// The proxy, until the session ends.
pub(crate) struct Browser {
    changes: watch::Sender<u64>,
    processes: watch::Sender<Vec<u32>>,
}

impl Browser {
    pub(crate) fn start(ports: Ports, tell: impl Fn(News) + Send + Sync + 'static) -> Result<Self> {
        let listener = ports.pages().map(listen).transpose()?;
        let (changes, changed) = watch::channel(0);
        let (processes, joined) = watch::channel(Vec::new());
        let (server, known) = watch::channel(ports.server);
        let state = Arc::new(State::new(changed, known, Box::new(tell)));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the proxy for --browser can't run")?;
        let run = run(ports, listener, server, joined, state);
        thread::Builder::new()
            .name("hot-browser".into())
            .spawn(move || runtime.block_on(run))
            .context("can't start a thread")?;
        Ok(Self { changes, processes })
    }

    /// Something else runs: pages are old.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    /// The program consists of these processes.
    pub(crate) fn joined(&self, pids: Vec<u32>) {
        self.processes.send_replace(pids);
    }
}

/// On this machine only.
fn listen(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    match listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener)) {
        Ok(listener) => Ok(listener),
        Err(error) => bail!(
            "pages can't be shown at port {port} ({error}); another one: --browser=SERVER:PORT, \
             where SERVER is the port of your server"
        ),
    }
}

async fn run(
    ports: Ports,
    listener: Option<TcpListener>,
    server: watch::Sender<Option<u16>>,
    joined: watch::Receiver<Vec<u32>>,
    state: Arc<State>,
) {
    let mut shown_at = listener.and_then(|listener| show(listener, &state));
    let mut said = None;
    find::find(joined, ports.server, |found| {
        let (port, others) = match found {
            Found::Nobody => return state.tell(News::NobodyListens(ports.server)),
            Found::Server(port, others) => (port, others),
        };
        server.send_replace(Some(port));
        // Where they were, also if the server listens elsewhere since.
        if shown_at.is_none() {
            match listen(ports.pages_of(port)) {
                Ok(listener) => shown_at = show(listener, &state),
                Err(error) => state.tell(News::Failed(error.to_string())),
            }
        }
        let Some(pages) = shown_at else { return };
        if said.replace(port) != Some(port) {
            state.tell(News::Shown {
                server: port,
                pages,
                others,
            });
        }
    })
    .await;
}

/// At which port that is, if it can be done.
fn show(listener: TcpListener, state: &Arc<State>) -> Option<u16> {
    let shown = listener.local_addr().and_then(|address| {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(proxy::serve(listener, Arc::clone(state)));
        Ok(address.port())
    });
    match shown {
        Ok(port) => Some(port),
        Err(error) => {
            state.tell(News::Failed(format!("pages can't be shown: {error}")));
            None
        }
    }
}
