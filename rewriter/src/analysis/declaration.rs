//! Which of the declarations of a file is meant. Knows nothing of why.

/// A declaration, by its position in what was read of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Declaration {
    /// A function.
    Function(usize),
    /// An item other than functions and imports.
    Item(usize),
    /// A whole impl block.
    Impl(usize),
    /// One imported name.
    Import {
        /// The position of its module.
        module: usize,
        /// Its position among the imports there.
        import: usize,
    },
}
