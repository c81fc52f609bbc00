//! Mocks under `hot cargo test`: the example, and the suites of published crates with mocks added.

mod example;
mod published;
