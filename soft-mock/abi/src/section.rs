//! The sections of object files through which programs, libraries and plugins say what they have.
//!
//! Attributes want literals, so the names come as a macro too: `#[link_section =
//! soft_mock_abi::section!(sites)]`, `#[link_name = concat!("__start_",
//! soft_mock_abi::section!(sites))]`.

/// The name of a section as a literal.
#[macro_export]
macro_rules! section {
    (sites) => {
        "soft_mock_sites"
    };
    (instances) => {
        "soft_mock_instances"
    };
    (items) => {
        "soft_mock_items"
    };
    (manifest) => {
        "soft_mock_manifest"
    };
    (unit) => {
        "soft_mock_unit"
    };
    (shared) => {
        "soft_mock_shared"
    };
    (std_pairs) => {
        "soft_mock_std_pairs"
    };
    (std_places) => {
        "soft_mock_std_places"
    };
    (live) => {
        "soft_mock_live"
    };
}

/// All sites of a program: see [`site`](crate::site).
pub const SITES: &str = section!(sites);

/// Records of the instances of generic functions that were compiled for tests.
pub const INSTANCES: &str = section!(instances);

/// Which function each site stands for, by the id of the function's own type. Only for tests.
pub const ITEMS: &str = section!(items);

/// What a plugin says of itself: see [`manifest`](crate::manifest).
pub const MANIFEST: &str = section!(manifest);

/// In the library of a managed plugin that can be patched: the folder of its unit.
pub const UNIT: &str = section!(unit);

/// One line for each crate that a managed plugin and its host share.
pub const SHARED: &str = section!(shared);

/// Functions of the standard library and what stands in for them: see
/// [`std_calls`](crate::std_calls). Only for tests, as the next one.
pub const STD_PAIRS: &str = section!(std_pairs);

/// What each crate's code refers to of these.
pub const STD_PLACES: &str = section!(std_places);

/// What a managed plugin lists as live.
pub const LIVE: &str = section!(live);
