//! What an operating system is asked for in its own way: processes, and who listens where. One module for each
//! system; `docs/portability.md` has the rest that another one would need.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
compile_error!("hot runs on Linux only; docs/portability.md says what another system would need");
