//! Managed plugins, end to end: `hot build` makes real plugins, real hosts load and reload them.

mod building;
mod examples;
mod patched;
mod routes;
mod scenarios;
mod versions;
mod workshop;
