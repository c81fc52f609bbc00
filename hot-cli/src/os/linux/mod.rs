//! Linux with glibc on x86-64.

mod calls;
mod locks;
mod memory;
mod ports;
mod processes;
pub(crate) mod screen;
mod sockets;
pub(crate) mod terminal;

pub(crate) use locks::{descends_from, lock_waits, LockWait};
pub(crate) use memory::give_back_memory;
pub(crate) use ports::{is_listened_at, ports_of};
pub(crate) use processes::{executable, ignored, name, owner, pids, tracer, Stat};
pub(crate) use sockets::sockets_of;

/// The target whose programs can be patched.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";
