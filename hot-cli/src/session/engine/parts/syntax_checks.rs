//! What a file that can't be parsed is asked for: rustc's word on it, as long as nothing was saved
//! since.
//!
//! Knows nothing of what rustc says.

use crate::os::process::Cancel;

/// The check that is under way.
#[derive(Default)]
pub(crate) struct SyntaxChecks {
    running: Option<(u64, Cancel)>,
}

impl SyntaxChecks {
    /// A check begins.
    pub(crate) fn begin(&mut self, number: u64) -> Cancel {
        self.drop_check();
        let cancel = Cancel::default();
        self.running = Some((number, cancel.clone()));
        cancel
    }

    /// Nobody wants to know any more.
    pub(crate) fn drop_check(&mut self) {
        if let Some((_, cancel)) = self.running.take() {
            cancel.cancel();
        }
    }

    /// A check has ended. Whether somebody still wants to know.
    pub(crate) fn end(&mut self, number: u64) -> bool {
        self.running.take_if(|(mine, _)| *mine == number).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_check_counts() {
        let mut checks = SyntaxChecks::default();
        let first = checks.begin(1);
        let second = checks.begin(2);
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(!checks.end(1), "another save came");
        assert!(checks.end(2));
        let third = checks.begin(3);
        checks.drop_check();
        assert!(third.is_cancelled() && !checks.end(3));
    }
}
