//! The names of the variables that `hot` hands to those whom it starts. The generated main of a
//! program removes them before the user's main runs.

/// The private folder of the session.
pub(crate) const SESSION: &str = "HOT_SESSION";

/// The workspace wrapper that the user has set.
pub(crate) const CHAINED_WRAPPER: &str = "HOT_CHAINED_WRAPPER";

/// What was set for `RUSTC_WRAPPER` before; empty if nothing was.
pub(crate) const RUSTC_WRAPPER_BEFORE: &str = "HOT_RUSTC_WRAPPER_BEFORE";

/// Set where the command itself says something of optimisation: then it isn't known which crates
/// are optimised.
pub(crate) const OPTIMISES: &str = "HOT_OPTIMISES";

/// Set for the one call of rustc that links a managed plugin: the linker that is to be called.
pub(crate) const PLUGIN_LINKER: &str = "HOT_PLUGIN_LINKER";

/// Set for the one call of rustc that compiles a test harness to be compared: the archive that
/// takes the place of the program.
pub(crate) const OBJECTS: &str = "HOT_OBJECTS";

/// Set where cargo is asked how it runs tests: the folder in which that is written down.
pub(crate) const TEST_LAUNCHES: &str = "HOT_TEST_LAUNCHES";

/// Set for a call of rustc that links tests: the file that says what the process in the linker's
/// place has to do.
pub(crate) const TEST_LINKER: &str = "HOT_TEST_LINKER";
