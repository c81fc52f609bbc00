//! What is compiled while the program already runs, so that the first patches needn't wait for it.
//!
//! Not with a lower priority: a save in this moment waits for what is being compiled, and must not
//! wait for everything else on the machine as well.

use std::time::Instant;

use crate::os::process::Cancel;
use crate::patch::whole_crate;
use crate::program::Program;
use crate::ui::Reporter;

/// Makes the twins, and what whole crates are compared with.
pub(super) fn prepare(program: &Program, verbose: bool) {
    let reporter = Reporter::stderr(verbose);
    twins(program, &reporter);
    let started = Instant::now();
    match whole_crate::prepare_program(program, &Cancel::default()) {
        Ok(()) => reporter
            .detail(|| format!("whole crates can be compared after {:?}", started.elapsed())),
        // The patch that needs it says so.
        Err(error) => reporter.detail(|| format!("nothing to compare with yet: {error:#}")),
    }
}

fn twins(program: &Program, reporter: &Reporter) {
    for loaded in &program.units {
        if loaded.unit.unmodified.is_some() {
            continue;
        }
        let started = Instant::now();
        match loaded.twin(&program.rustc, &Cancel::default()) {
            Ok(_) => reporter.detail(|| {
                let name = &loaded.unit.crate_name;
                format!(
                    "the twin of `{name}` is ready after {:?}",
                    started.elapsed()
                )
            }),
            Err(error) => reporter.detail(|| format!("{error:#}")),
        }
    }
}
