//! What compilers wrote, read and compared: bytes in, facts out.
//!
//! - [`objects`], [`world`], [`symbols`], [`library`]: what is in object files, archives and linked
//!   libraries
//! - [`code`]: the machine code around an address
//! - [`flow`]: what code does with an address
//! - [`fingerprint`], [`sites`], [`compare`]: which functions of two compilations differ, and may
//!   the old ones go
//! - [`counterparts`]: which variables of two compilations are the same
//! - [`meaning`]: does a function that was compiled alone refer to what it refers to in its crate
//! - [`debug_info`]: which types, statics and vtables of two compilations are not the same
//! - [`select`], [`extract`], [`manifest_object`], [`late_object`]: what of the new code goes into
//!   a plugin, and the objects to link
//! - [`std_calls`]: a crate's own code led to what stands in for functions of std
//! - [`crate_id`]: a crate's symbols by the id that it has in a program
//! - [`visibility`]: symbols that are to be found from outside
//! - [`locations`]: places in sources that code holds
//!
//! Starts no process and opens no file. Knows nothing of cargo, of rustc's arguments and of
//! sources, but for the names that the rewriter gives to what it adds.

mod brought;
pub mod code;
pub mod compare;
pub mod counterparts;
pub mod crate_id;
pub mod debug_info;
pub mod extract;
pub mod fingerprint;
pub mod flow;
pub mod late_object;
pub mod library;
pub mod locations;
pub mod manifest_object;
pub mod meaning;
pub mod objects;
pub mod select;
pub mod sites;
pub mod std_calls;
pub mod symbols;
pub mod visibility;
pub mod world;
