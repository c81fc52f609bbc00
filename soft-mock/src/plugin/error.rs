//! Everything that can go wrong with managed plugins, each naming plugin and hook.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::value::Value;
use soft_mock_runtime::loader::LoadError;

/// What a hook may fail with: any error.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// What a hook returns.
pub type HookResult<T = ()> = Result<T, HookError>;

/// The hooks of a plugin, as errors name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// Making the plugin's value, by `Default`.
    Default,
    /// `reloadable`
    Reloadable,
    /// `export`
    Export,
    /// `import`
    Import,
    /// `on_load`
    OnLoad,
    /// Listing the plugin's live things.
    Live,
    /// `on_init`
    OnInit,
    /// `on_free`
    OnFree,
    /// Dropping the plugin's value.
    Drop,
    /// `invoke_func`
    InvokeFunc,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hook::Default => "default",
            Hook::Reloadable => "reloadable",
            Hook::Export => "export",
            Hook::Import => "import",
            Hook::OnLoad => "on_load",
            Hook::Live => "live things",
            Hook::OnInit => "on_init",
            Hook::OnFree => "on_free",
            Hook::Drop => "drop",
            Hook::InvokeFunc => "invoke_func",
        })
    }
}

/// How a hook ended, if not well. The text is the host's own: nothing in it belongs to the plugin's
/// library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It returned an error.
    Error(String),
    /// It panicked.
    Panic(String),
    /// There is no such function; only from `invoke_func`.
    NoSuchFunction(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(text) => write!(f, "failed: {text}"),
            Failure::Panic(text) => write!(f, "panicked: {text}"),
            Failure::NoSuchFunction(name) => write!(f, "has no function `{name}`"),
        }
    }
}

/// The error by which `invoke_func` says that it doesn't know a function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no function `{0}`")]
pub struct NoSuchFunction(pub String);

/// Why an operation on plugins failed. The set that served before goes on serving.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The folder can't be read.
    #[error("the plugin folder {} can't be read: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder holds no plugin.
    #[error("the plugin folder {} holds no plugin (`*.so`); `hot build <plugin> {}` makes one", path.display(), path.display())]
    NoPlugins {
        /// The folder.
        path: PathBuf,
    },
    /// The whitelist names what isn't there.
    #[error("the whitelist names `{name}`, but {} has only: {}", path.display(), list(.present))]
    NotThere {
        /// The name on the whitelist.
        name: String,
        /// The folder.
        path: PathBuf,
        /// What is there.
        present: Vec<String>,
    },
    /// A file can't be a plugin.
    #[error(transparent)]
    Refused(#[from] LoadError),
    /// Another compiler built it.
    #[error("plugin `{plugin}` was built by `{theirs}`, the host by `{ours}`: build both with one compiler")]
    OtherCompiler {
        /// The plugin.
        plugin: String,
        /// Its compiler.
        theirs: String,
        /// The host's.
        ours: String,
    },
    /// It was built against other shared types.
    #[error(transparent)]
    OtherTypes(#[from] Box<OtherTypes>),
    /// It says nothing of the crates that it was built against.
    #[error("plugin `{plugin}` has no record of `soft_mock`: build it with `hot build`")]
    NoRecord {
        /// The plugin.
        plugin: String,
    },
    /// Its entry does not accept this host.
    #[error("plugin `{plugin}` does not fit this host: {cause}")]
    Entry {
        /// The plugin.
        plugin: String,
        /// What doesn't fit.
        cause: String,
    },
    /// Two plugins of one name.
    #[error("two plugins are called `{name}`: {first} and {second}")]
    DuplicateName {
        /// The name.
        name: String,
        /// Where the first comes from.
        first: String,
        /// Where the second comes from.
        second: String,
    },
    /// Two live things of one name.
    #[error("`{name}` is live in two plugins: `{first}` and `{second}`")]
    DuplicateLive {
        /// The name.
        name: String,
        /// The one plugin.
        first: String,
        /// The other.
        second: String,
    },
    /// A hook failed.
    #[error("plugin `{plugin}`: {hook} {failure}")]
    Hook {
        /// The plugin.
        plugin: String,
        /// The hook.
        hook: Hook,
        /// How it ended.
        failure: Failure,
    },
    /// A plugin imports what isn't there.
    #[error("plugin `{plugin}` imports `{dependency}`, which is not there (there are: {})", list(.present))]
    UnknownDependency {
        /// The importing plugin.
        plugin: String,
        /// The missing one.
        dependency: String,
        /// The plugins there are.
        present: Vec<String>,
    },
    /// A plugin imports another type than is exported.
    #[error("plugin `{plugin}` imports `{wanted}` from `{dependency}`, which exports {found}")]
    DependencyType {
        /// The importing plugin.
        plugin: String,
        /// The exporting plugin.
        dependency: String,
        /// The type that is wanted.
        wanted: String,
        /// The type that is exported.
        found: String,
    },
    /// A plugin imports a type that may be another one than is exported.
    #[error("plugin `{plugin}` can't import from `{dependency}`: {other}")]
    DependencyOther {
        /// The importing plugin.
        plugin: String,
        /// The exporting plugin.
        dependency: String,
        /// Why.
        other: OtherType,
    },
    /// Plugins that import each other.
    #[error("plugins import each other: {}", .path.join(" -> "))]
    Cycle {
        /// The names along the cycle; the last is the first again.
        path: Vec<String>,
    },
    /// A plugin that is kept for good depends on one that isn't.
    #[error("plugin `{plugin}` is not reloadable but imports `{dependency}`, which is: the import would become stale")]
    DependsOnReloadable {
        /// The plugin that isn't reloadable.
        plugin: String,
        /// The one that is.
        dependency: String,
    },
    /// A reload callback failed.
    #[error("the reload callback {failure}")]
    Callback {
        /// How it ended.
        failure: Failure,
    },
    /// The extension could not be made.
    #[error("the extension factory {failure}")]
    Extension {
        /// How it ended.
        failure: Failure,
    },
    /// Called from inside a hook or callback.
    #[error("{operation} was called from inside a hook or callback: it would wait for itself")]
    InsideHook {
        /// What was called.
        operation: &'static str,
    },
    /// Another thread is loading or reloading.
    #[error("a load or reload is in progress")]
    Busy,
    /// There is a set already.
    #[error("plugins are loaded already: use reload")]
    AlreadyLoaded,
    /// There is no set yet.
    #[error("no plugins are loaded yet: use load_plugins")]
    NotLoaded,
    /// The plugins are part of the program.
    #[error("{operation} is impossible here: the plugins are linked statically into this program")]
    StaticLinking {
        /// What was called.
        operation: &'static str,
    },
    /// There is no plugin of that name.
    #[error("there is no plugin `{name}` (there are: {})", list(.present))]
    UnknownPlugin {
        /// The name.
        name: String,
        /// The plugins there are.
        present: Vec<String>,
    },
}

/// A plugin and what it was compared with have different shared types.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("plugin `{plugin}` was built against another `{krate}` than {with}: fingerprint {theirs} there, {ours} here ({difference}); build both from the same sources, with the same features and profile")]
pub struct OtherTypes {
    /// The plugin.
    pub plugin: String,
    /// The crate of shared types.
    pub krate: String,
    /// The host, or the plugin that came first.
    pub with: String,
    /// The fingerprint that the plugin has.
    pub theirs: String,
    /// The fingerprint that it was compared with.
    pub ours: String,
    /// What differs.
    pub difference: String,
}

/// Why an object isn't given out as the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It is plain data.
    #[error("this is plain data, no object of type `{wanted}`")]
    Plain {
        /// The type that was asked for.
        wanted: String,
    },
    /// It has another type.
    #[error("the object is a `{found}`, not a `{wanted}`")]
    Type {
        /// The type that was asked for.
        wanted: String,
        /// The type that it has.
        found: String,
    },
    /// Its type has the name, but may be another one.
    #[error(transparent)]
    Other(#[from] OtherType),
}

/// Two libraries have a type of one name, and nothing shows that it is one type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OtherType {
    /// A crate that the type is made of is another one, or can't be compared.
    #[error("`{type_name}` of the library that made it need not be `{type_name}` here: crate `{krate}` {}", advice(.difference))]
    Crate {
        /// The type.
        type_name: String,
        /// The crate.
        krate: String,
        /// What differs; none if there is nothing to compare.
        difference: Option<String>,
    },
    /// What it gives out can be taken apart without being compared.
    #[error("`{type_name}` can't be handed from one library to another: {erased} in it can be taken apart by type without a look at where it comes from; hand over the object itself, and an error as text")]
    Erased {
        /// The type.
        type_name: String,
        /// What of it.
        erased: &'static str,
    },
}

fn advice(difference: &Option<String>) -> String {
    match difference {
        Some(difference) => format!(
            "differs ({difference}); build all from the same sources, and start the host anew"
        ),
        None => "is part of both and has no record in both; put the type into a crate with `soft_mock::plugin::shared!()`, or hand over plain data".to_owned(),
    }
}

/// An object that was not taken out, and why.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct NotTaken {
    /// The object, or the plain data.
    pub value: Value,
    /// Why.
    pub error: ObjectError,
}

/// Why nothing was found under a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LookupError {
    /// There is nothing of that name.
    #[error("there is no {kind} `{name}` (there are: {})", list(.present))]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What there is.
        present: Vec<String>,
    },
    /// It has another type.
    #[error("{kind} `{name}` has the type `{found}`, not `{wanted}`")]
    Type {
        /// What was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The type that was asked for.
        wanted: String,
        /// The type that it has.
        found: String,
    },
    /// It has that type's name, but may have another type.
    #[error("{kind} `{name}`: {other}")]
    Other {
        /// What was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why.
        other: OtherType,
    },
    /// The set that the vault belonged to is gone.
    #[error("the vault's set of plugins is gone")]
    Gone,
}

impl LookupError {
    /// An object that was found under this name but isn't given out.
    pub(crate) fn of(kind: &'static str, name: &str, error: ObjectError) -> Self {
        let name = name.to_owned();
        match error {
            ObjectError::Other(other) => Self::Other { kind, name, other },
            ObjectError::Type { wanted, found } => Self::Type {
                kind,
                name,
                wanted,
                found,
            },
            ObjectError::Plain { wanted } => Self::Type {
                kind,
                name,
                wanted,
                found: "plain data".to_owned(),
            },
        }
    }
}

pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
