//! What compilers wrote, compared: bytes in, facts out.
//!
//! Starts no process and opens no file.

pub(crate) mod code;
pub(crate) mod compare;
pub(crate) mod edit;
pub(crate) mod elf;
pub(crate) mod fingerprint;
pub(crate) mod objects;
pub(crate) mod select;
pub(crate) mod sites;
pub(crate) mod world;
