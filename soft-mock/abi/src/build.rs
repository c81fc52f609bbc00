//! What `hot build` tells the macros of a managed plugin while it is compiled.

/// The environment variable with the note of the plugin, the commit that it was built from.
pub const NOTE: &str = "SOFT_MOCK_NOTE";

/// The environment variable with what names of live items begin with.
pub const LIVE_PREFIX: &str = "SOFT_MOCK_LIVE_PREFIX";

/// The `cfg` of the plugin's own crate: only with it are there an entry and a manifest.
pub const MANAGED: &str = "soft_mock_managed";
