//! Where private things are visible, and which of them stay so in the copy of a crate that plugins
//! are compiled against.
//!
//! ```text
//! fn get            in module app::store     visible in app::store and below
//! pub(super) fn get in module app::store     visible in app and below
//! ```
//!
//! Knows nothing of how visibility is widened.

use syn::Visibility;

/// A private name that plugins can't reach through the twin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hidden {
    /// The name: of a method, an item or a field (`0` for a tuple's first).
    pub name: String,
    /// It is a field.
    pub field: bool,
    /// The module inside which it is visible.
    pub scope: Vec<String>,
}

impl Hidden {
    /// Whether code in `module` may use it.
    pub fn visible_in(&self, module: &[String]) -> bool {
        module.starts_with(&self.scope)
    }
}

/// The module inside which something with this visibility, declared in `module`, is visible.
/// `None`: everywhere.
pub(crate) fn scope(vis: &Visibility, module: &[String]) -> Option<Vec<String>> {
    match vis {
        Visibility::Public(_) => None,
        Visibility::Inherited => Some(module.to_vec()),
        Visibility::Restricted(restricted) => {
            let path = &restricted.path;
            if path.is_ident("crate") {
                Some(Vec::new())
            } else if path.is_ident("super") {
                Some(module[..module.len().saturating_sub(1)].to_vec())
            } else if let Some(first) = path.segments.first().filter(|s| s.ident == "crate") {
                let rest = path.segments.iter().skip(1).map(|s| s.ident.to_string());
                let _ = first;
                Some(rest.collect())
            } else {
                Some(module.to_vec())
            }
        }
    }
}
