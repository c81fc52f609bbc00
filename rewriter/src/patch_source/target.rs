//! A function that a plugin is to hold, found in its file. Knows nothing of how it is written.

use super::request::{PatchFunction, PatchRequest, PatchSourceError};
use crate::analysis::items::{DeclaredFunction, FileItems};

/// A function to be written, with all that belongs to it.
pub(super) struct Target<'a> {
    pub(super) index: usize,
    pub(super) request: PatchFunction,
    pub(super) file: &'a FileItems,
    pub(super) function: &'a DeclaredFunction,
    pub(super) text: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(
        request: &PatchRequest<'a>,
        index: usize,
        wanted: PatchFunction,
    ) -> Result<Self, PatchSourceError> {
        let file = request.files.get(wanted.file);
        let found = file.and_then(|file| Some((file, file.functions.get(wanted.function)?)));
        let Some((file, function)) = found else {
            return Err(PatchSourceError::NoSuchFunction {
                crate_name: request.options.crate_name.clone(),
                file: wanted.file,
                function: wanted.function,
            });
        };
        if let Err(reason) = function.kind {
            let title = function.title();
            return Err(PatchSourceError::NoSite { title, reason });
        }
        let text =
            (request.text)(&file.path).ok_or_else(|| PatchSourceError::Text(file.path.clone()))?;
        Ok(Self {
            index,
            request: wanted,
            file,
            function,
            text,
        })
    }
}
