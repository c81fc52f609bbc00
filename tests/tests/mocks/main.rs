//! Mocks under `hot cargo test`: the examples, the suites of published crates with mocks added,
//! pools of threads.

mod example;
mod functions;
mod included;
mod published;
mod runtimes;
mod scopes;
