//! The Rust edition of a crate, as far as it changes what may be inserted.
//!
//! Knows nothing of cargo: the caller says which edition rustc was given.

/// An edition of the Rust language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Edition {
    /// Paths that start with `::` are relative to the crate root. What rustc takes if it is told
    /// none.
    #[default]
    E2015,
    /// `::core` is the core crate.
    E2018,
    /// As 2018, for our purposes.
    E2021,
    /// Attributes such as `link_section` are written `#[unsafe(…)]`.
    E2024,
}

impl Edition {
    /// Reads the value of rustc's `--edition`; a future edition is taken for the newest known one.
    pub fn parse(text: &str) -> Self {
        match text {
            "2015" => Self::E2015,
            "2018" => Self::E2018,
            "2021" => Self::E2021,
            _ => Self::E2024,
        }
    }

    /// The path under which the core library is reached from any module of a rewritten crate. In
    /// the oldest edition there is none that holds with the standard library and without, which
    /// may be for `cfg` to say: there the support module has one.
    pub(crate) fn core_path(self) -> &'static str {
        match self {
            Self::E2015 => "::__soft_mock::core",
            _ => "::core",
        }
    }

    /// The same from any module of a plugin, which has the rewritten crate as its host.
    pub(crate) fn core_path_of_plugins(self) -> &'static str {
        match self {
            Self::E2015 => "::__hot_host::__soft_mock::core",
            _ => "::core",
        }
    }

    /// What the support module declares for [`core_path`](Self::core_path).
    pub(crate) fn core_declaration(self) -> &'static str {
        match self {
            Self::E2015 => "pub extern crate core;",
            _ => "",
        }
    }

    /// An attribute that only newer editions call unsafe.
    pub(crate) fn unsafe_attribute(self, attribute: &str) -> String {
        match self {
            Self::E2024 => format!("#[unsafe({attribute})]"),
            _ => format!("#[{attribute}]"),
        }
    }
}
