//! Mocks under `hot cargo test`: the examples, the suites of published crates with mocks added,
//! pools of threads.

/// All of them wait for one target folder: `.ci/test` runs them beside the others.
#[path = "."]
mod apart {
    mod doubles;
    mod example;
    mod functions;
    mod included;
    mod init;
    mod published;
    mod refused;
    mod runtimes;
    mod scopes;
    mod std_calls;
}
