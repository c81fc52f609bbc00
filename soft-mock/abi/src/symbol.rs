//! Names of items that one side generates and the other one looks for.

/// What every generated name of an item begins with.
pub const PREFIX: &str = "__soft_mock_";

/// The module at the root of every rewritten crate that the prologues refer to.
pub const SUPPORT_MODULE: &str = "__soft_mock";

/// The static in a function that is its [`Site`](crate::site::Site).
pub const SITE: &str = "__SOFT_MOCK_SITE";

/// The program's own main function, as the generated main calls it.
pub const MAIN: &str = "__soft_mock_main";

/// What the symbols of replacements in a plugin begin with; their position follows.
pub const PATCH: &str = "__soft_mock_patch_";

/// What the symbols begin with that say the type of a function which a plugin brings; its position
/// follows.
pub const TYPE_ID: &str = "__soft_mock_type_";

/// What the symbols begin with of functions that compare a type with that of a site; their position
/// follows.
pub const CHECK: &str = "__soft_mock_check_";

/// The function of the agent that the generated main calls: see [`start`](crate::start).
pub const AGENT_START: &str = "soft_mock_agent_start_v1";

/// The function of a managed plugin that its host calls.
pub const PLUGIN_ENTRY: &str = "soft_mock_plugin_entry_v1";

/// The function at the root of a managed plugin's crate that declares it.
pub const PLUGIN_DECLARATION: &str = "__soft_mock_plugin";

/// What the source of a micro-crate calls the body of an async function; its position follows.
pub const ASYNC_BODY: &str = "__soft_mock_new_";

/// What the names of the traits begin with that carry methods into a micro-crate.
pub const CARRIER: &str = "__SoftMock";

/// How the name of the function starts that holds the body of an async function.
pub const DETACHED_BODY: &str = "__soft_mock_body_";

/// How the name of the function starts that is the replacement of a function with a moved body.
pub const DETACHED_CODE: &str = "__soft_mock_code_";

/// How the name of the function starts that compares the type of a function which plugins bring,
/// and whose body was moved, with that of its site.
pub const DETACHED_CHECK: &str = "__soft_mock_check_of_";

/// How the name of the function starts that says that type.
pub const DETACHED_TYPE: &str = "__soft_mock_type_of_";

/// The name of the function through which the future of a moved body goes if the result is `impl
/// Trait`: its instance names the type that the result is.
pub const DETACHED_OUTPUT: &str = "__soft_mock_output";

/// The symbol of the replacement at this position of a plugin.
pub fn patch(position: usize) -> String {
    format!("{PATCH}{position}")
}
