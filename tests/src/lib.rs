//! What the end-to-end tests stand on: real cargo projects in folders of their own, real processes,
//! real sockets.
//!
//! Knows `hot` only from outside: its command line, what it says on stderr, and what the program
//! under it does.

pub mod agent;
pub mod chromium;
pub mod compiled;
pub mod dice;
pub mod environment;
pub mod folder;
pub mod hot;
pub mod http;
pub mod output;
pub mod package;
pub mod ports;
pub mod process;
pub mod project;
pub mod recording;
pub mod redis;
pub mod runtime;
pub mod session;
pub mod terminal;
pub mod turn;
