//! Clears the hidden visibility of Rust symbols in a library, so that the program exports them and
//! plugins find every function, static and thread-local of the program itself.
//!
//! Only the visibility bits in the symbol tables are touched, in place.

use std::path::Path;

use anyhow::{Context, Result};
use soft_mock_compiled::visibility::unhide;

use crate::os::files::replace_file;

/// Makes the symbols of all objects in the library visible.
pub(crate) fn make_visible(library: &Path) -> Result<()> {
    let mut bytes =
        std::fs::read(library).with_context(|| format!("can't read {}", library.display()))?;
    let hidden = unhide(&mut bytes)
        .with_context(|| format!("can't read the symbols of {}", library.display()))?;
    match hidden {
        0 => Ok(()),
        _ => replace_file(library, &bytes),
    }
}
