//! Managed plugins, end to end: `hot build` makes real plugins, real hosts load and reload them.

/// All of them wait for one target folder: `.ci/test` runs them beside the others.
#[path = "."]
mod apart {
    mod building;
    mod examples;
    mod patched;
    mod routes;
    mod scenarios;
    mod versions;
    mod workshop;
}
