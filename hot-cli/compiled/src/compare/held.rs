//! Who holds the address of a piece of code beyond the call in which it was taken: a vtable, a
//! static, or code that stores it.
//!
//! Knows nothing of what differs.

use std::sync::Arc;

use super::paths::is_detached_body;
use super::side::Side;
use crate::counterparts::is_accessor;
use crate::objects::Relocation;
use crate::symbols::without_marks;
use crate::world::{Piece, Use};

/// What holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A static, by its path.
    Static(Arc<str>),
    /// Data without a name.
    Table,
    /// A function that hands it on, by its path.
    Code(Arc<str>),
}

impl Holder {
    /// As it is told.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Static(path) => format!("the static `{}`", without_marks(path)),
            Self::Table => "a vtable or a table of functions".to_owned(),
            // Code without a name.
            Self::Code(path) if path.is_empty() => "a pointer to it".to_owned(),
            Self::Code(path) => format!("a pointer taken in `{}`", without_marks(path)),
        }
    }
}

/// What holds the address of the code at `path` by this reference of `user` to it. None: nothing
/// does.
pub(super) fn holder(
    side: &Side<'_, '_>,
    (path, piece): (&str, Option<Piece>),
    (user, relocation): (Piece, &Relocation),
) -> Option<Holder> {
    let world = side.world;
    // The future of a body that was moved: in the program it is part of the function's own, and a
    // call in progress.
    if is_detached_body(path) {
        return None;
    }
    if let Some(piece) = piece {
        // The constant that names the accessor of a thread-local is part of the code that uses it.
        if is_accessor(world, path, piece) || side.is_jump_table(user, relocation, piece) {
            return None;
        }
    }
    let of_user = world.path_of(user);
    match world.usage(user, relocation) {
        Use::Call => None,
        Use::Data => Some(of_user.map_or(Holder::Table, Holder::Static)),
        usage => {
            let of_user = of_user.unwrap_or_else(|| "".into());
            let forgotten = match usage {
                Use::Frame => is_format(path) && world.formats(user),
                _ => is_argument(&of_user) && is_format(path),
            };
            // Calls that catch panics hand it to the compiler's own, which calls it at once.
            let catches = path.starts_with("std[") && path.contains("]::panicking::");
            (!forgotten && !catches).then_some(Holder::Code(of_user))
        }
    }
}

/// Whether it writes something as text. The arguments of a `format_args!` live as long as the call
/// that they are made for.
fn is_format(path: &str) -> bool {
    path.contains(" as core[") && path.contains("]::fmt::") && path.ends_with("::fmt")
}

/// Whether it is what `format_args!` makes an argument with.
fn is_argument(path: &str) -> bool {
    let path = without_marks(path);
    ["<core::fmt::rt::Argument>::", "<core::fmt::ArgumentV1>::"]
        .iter()
        .any(|start| path.starts_with(start))
}
