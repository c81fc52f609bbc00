//! What an operating system is asked for: processes, who listens where, private folders and
//! sockets, files.
//!
//! What each system does in its own way stands in one module for it (`linux`);
//! `docs/portability.md` has the rest that another one would need. Knows nothing of compilers and
//! programs.

pub(crate) mod files;
mod own_build;
pub(crate) mod private_socket;
pub(crate) mod process;
pub(crate) mod session_dir;
pub(crate) mod turns;

pub(crate) use own_build::own_build;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
compile_error!("hot runs on Linux only; docs/portability.md says what another system would need");
