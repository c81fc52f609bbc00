//! What an operating system is asked for in its own way, one module for each; `docs/portability.md`
//! has the rest that another one would need.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::*;
