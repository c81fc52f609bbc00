//! Why a function can't be mocked, and what to do about it. Finds nothing out by itself but which
//! crates have sites.

use std::time::Duration;

use soft_mock_abi::site::Site;
use soft_mock_runtime::registry::{sites, FindError, RegistryError};
use thiserror::Error;

/// A function couldn't be mocked, or its original not be called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MockError {
    /// The function wasn't found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The mock isn't of the function's type.
    #[error("`{name}` has the signature `{expected}`, the mock is `{found}`{hint}")]
    Signature {
        /// The function's name.
        name: &'static str,
        /// Its signature.
        expected: &'static str,
        /// The type of the mock.
        found: &'static str,
        /// What to do about it, where that can be told; empty otherwise.
        hint: &'static str,
    },
    /// The function's type isn't known, so that no mock can be compared with it.
    #[error(
        "`{name}` can't be mocked by name: its type can't be written down without its generics or \
         bounds (`{signature}`)"
    )]
    NoType {
        /// The function's name.
        name: &'static str,
        /// Its signature.
        signature: &'static str,
    },
    /// The function is `async`.
    #[error("`{name}` is async: it can't be mocked by name")]
    Async {
        /// The function's name.
        name: &'static str,
    },
    /// An async mock for a function that isn't async, or the other way round.
    #[error(
        "`{name}` is {}async, its mock has to be: write `mock!(…, {} {{ … }})`",
        if *.is_async { "" } else { "not " },
        if *.is_async { "async move |…| -> …" } else { "|…| -> …" }
    )]
    Asyncness {
        /// The function's name.
        name: &'static str,
        /// Whether the function is async.
        is_async: bool,
    },
    /// The function has no site, for a reason that is known.
    #[error("`{name}` can't be mocked: {reason}")]
    Refused {
        /// The function's name.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The function has no site, as nothing seemed to mock it.
    #[error(
        "`{name}` can't be mocked here: `hot cargo test` prepares those functions of a crate that its own sources \
         name in a macro, and this one isn't. Write it into the mock: `mock!({name}, …)`"
    )]
    Unnamed {
        /// The function's name.
        name: String,
    },
    /// The function's crate has no sites.
    #[error("`{name}` can't be mocked: `hot` builds its crate unmodified, as {reason}")]
    Unmodified {
        /// The function's name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// An instance whose types may borrow.
    #[error(
        "`{name}` can't be mocked: the compiler makes one function for all lifetimes in its types, and `&`, \
         `dyn Trait` and types with lifetimes could mean any"
    )]
    Borrowing {
        /// The instance.
        name: &'static str,
    },
    /// The compiler doesn't say enough of an instance.
    #[error("`{name}` is an instance of a generic function: to mock it takes rustc 1.91 or newer")]
    Compiler {
        /// The instance.
        name: &'static str,
    },
    /// There are instances of the function, but not this one.
    #[error(
        "`{name}` can't be mocked: nothing in this program calls this instance of the function"
    )]
    NoInstance {
        /// The instance.
        name: String,
    },
    /// There are instances of the function, and a name says none.
    #[error(
        "there are several instances of `{name}`: give one by its path, `mock!(function::<u8>, …)`, \
         `mock!(<Type as Trait>::method, …)`"
    )]
    Instances {
        /// The function's name.
        name: &'static str,
    },
    /// Nobody wrote the function.
    #[error(
        "`{name}` can't be mocked: the sources have no body of it to put a check into, since a derive \
         or a macro makes it; write it out where it is to be mocked"
    )]
    Unwritten {
        /// The function.
        name: &'static str,
    },
    /// A generic function of the standard library was given as itself.
    #[error(
        "`{name}` is generic: all its instances are mocked together, by its name as a text: \
         `mock!(\"{name}\", …)`"
    )]
    ByName {
        /// The function's name.
        name: &'static str,
    },
    /// Two tests that hold mocks both want one of the whole process.
    #[error(
        "a mock of `{name}` for the whole process has to wait for the mocks of another test, which \
         waits for those of this test: make it before all others"
    )]
    Exclusive {
        /// The function's name.
        name: &'static str,
    },
    /// Mocks of other threads stand in the way, and stay.
    #[error(
        "`{name}` can't be mocked: for {} s a mock of the whole process and mocks of another thread \
         have been in each other's way; if that thread works for the same test, take the test \
         along, `let scope = soft_mock::scope(); s.spawn(scope.wrap(|| …))`",
        .waited.as_secs()
    )]
    Stuck {
        /// The function's name.
        name: &'static str,
        /// For how long.
        waited: Duration,
    },
    /// The function is `unsafe`, and the mock doesn't say so.
    #[error("`{name}` is unsafe: say that its mock may stand in for it, `mock!(unsafe …, |…| …)`")]
    NeedsUnsafe {
        /// The function's name.
        name: &'static str,
    },
    /// The function is `unsafe`.
    #[error(
        "`{name}` is unsafe: what a mock may rely on is for you to say, with `mock_unsafe_by_name`"
    )]
    Unsafe {
        /// The function's name.
        name: &'static str,
    },
    /// The original of an async function has a call of its own.
    #[error("`{name}` is async: `call_original_async(function, || function(…)).await` calls its original")]
    AsyncOriginal {
        /// The function's name.
        name: &'static str,
    },
    /// There is code to which a function of the standard library is not the one that can be
    /// mocked.
    #[error(
        "`{name}` can't be mocked: what refers to it here would not see the mock:\n    {}\nlet it call \
         the function by its path, outside of macros; where the tests are optimised, std's code may have \
         become part of it: build them without",
        .places.join("\n    ")
    )]
    Missed {
        /// The function's name.
        name: &'static str,
        /// The code: in which function, and where that stands.
        places: Vec<String>,
    },
    /// It isn't known which functions of the standard library the program refers to.
    #[error(
        "`{name}` can't be mocked: it isn't known what calls it, since this program is optimised when it is \
         linked, or `hot` couldn't read its objects and has said why; build the tests without `lto`"
    )]
    Unread {
        /// The function's name.
        name: &'static str,
    },
    /// The code of the program's root calls what it likes.
    #[error(
        "`{name}` can't be mocked: `hot` didn't compile the code of this program itself, which is a doc test, or \
         tests that it built unmodified and has said why, and calls there would go past the mock; mock it in \
         a test"
    )]
    Rootless {
        /// The function's name.
        name: &'static str,
    },
    /// No rewritten crate calls a function of the standard library.
    #[error(
        "`{name}` can't be mocked: nothing in the rewritten crates of this program calls it; if a dependency \
         does, include it: `hot --include … cargo test`"
    )]
    Uncalled {
        /// The function's name.
        name: &'static str,
    },
    /// The original was to be called, but wasn't.
    #[error("`{name}` was not called on this thread, so its original wasn't either")]
    NotCalled {
        /// The function's name.
        name: &'static str,
    },
}

impl From<RegistryError> for MockError {
    fn from(error: RegistryError) -> Self {
        Self::Find(error.into())
    }
}

/// The error with what to do about it in this program.
pub(super) fn explained(error: &MockError) -> String {
    let built = sites().next().is_some();
    let hint = match error {
        MockError::Find(FindError::Unknown { name, .. }) => foreign_crate(name).map(|foreign| {
            format!("\nif `{foreign}` is a dependency, include it: `hot --include {foreign} cargo test`")
        }),
        _ => None,
    };
    let hint = hint.unwrap_or_default();
    match (error, built) {
        (MockError::Find(_), false) => format!(
            "nothing in this program can be mocked: run the tests with `hot cargo test`, or put \
             `#[soft_mock::mockable]` on what they mock\n({error}){hint}"
        ),
        _ => format!("{error}{hint}"),
    }
}

/// The crate that a function's name begins with, if nothing in the program can be mocked that is of
/// it.
fn foreign_crate(name: &str) -> Option<&str> {
    let name = name.trim_start_matches('<');
    let name = name.split(" as ").next().unwrap_or(name);
    let (first, _) = name.split_once("::")?;
    let is_name = first.chars().all(|c| c.is_alphanumeric() || c == '_') && !first.is_empty();
    let standard = ["std", "core", "alloc", "crate", "self", "super"].contains(&first);
    let is_of_it = |site: &Site| {
        let own = site.name().trim_start_matches('<').split("::").next();
        site.crate_name() == first || own == Some(first)
    };
    let known = sites().any(is_of_it);
    (is_name && !standard && !known).then_some(first)
}
