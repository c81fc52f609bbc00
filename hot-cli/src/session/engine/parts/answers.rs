//! Answers of programs, as tests of the parts need them.

use std::time::Duration;

use soft_mock_abi::protocol::{Loaded, Refused};
use soft_mock_abi::report::Report;

/// A patch was installed.
pub(super) fn loaded(id: u64) -> Result<Loaded, Refused> {
    Ok(Loaded {
        id,
        report: Report {
            patch: 1,
            generation: 1,
            functions: Vec::new(),
            bytes: 0,
            elapsed: Duration::ZERO,
            undone: Vec::new(),
            warnings: Vec::new(),
        },
    })
}

/// It was not.
pub(super) fn refused(id: u64) -> Result<Loaded, Refused> {
    Err(Refused {
        id,
        error: "no".into(),
        functions: Vec::new(),
    })
}
