//! What is compiled ahead while the program already runs, so that the first patches needn't wait for it.
//!
//! Not with a lower priority: a save in this moment waits for what is being compiled, and must not wait for
//! everything else on the machine as well.

use super::*;
use crate::patch::whole_crate;

/// Makes the twins, and what whole crates are compared with.
pub(super) fn prepare(program: Arc<Program>, verbose: bool) {
    std::thread::spawn(move || {
        let report = Reporter::stderr(verbose);
        twins(&program, &report);
        let started = Instant::now();
        match whole_crate::prepare_program(&program, &Cancel::default()) {
            Ok(()) => report
                .detail(|| format!("whole crates can be compared after {:?}", started.elapsed())),
            // The patch that needs it says so.
            Err(error) => report.detail(|| format!("nothing to compare with yet: {error:#}")),
        }
    });
}

fn twins(program: &Program, report: &Reporter) {
    for loaded in &program.units {
        if loaded.unit.unmodified.is_some() {
            continue;
        }
        let started = Instant::now();
        match loaded.twin(&program.rustc, &Cancel::default()) {
            Ok(_) => report.detail(|| {
                let name = &loaded.unit.crate_name;
                format!(
                    "the twin of `{name}` is ready after {:?}",
                    started.elapsed()
                )
            }),
            Err(error) => report.detail(|| format!("{error:#}")),
        }
    }
}
