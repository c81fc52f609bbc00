//! The Rust edition of a crate, as far as it changes what may be inserted.
//!
//! Knows nothing of cargo: the caller says which edition rustc was given.

/// An edition of the Rust language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Paths that start with `::` are relative to the crate root.
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

    /// The path under which the core library is reached from any module.
    pub(crate) fn core_path(self, no_std: bool) -> &'static str {
        match (self, no_std) {
            (Self::E2015, false) => "::std",
            _ => "::core",
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
