//! `layout!`: a structure that generated source code has as well.
//!
//! ```text
//! layout! { pub struct Pair { first: u32, second: u64, } }
//! #[repr(C)] pub struct Pair { first: u32, second: u64 }
//! impl Pair { pub const FIELDS: &str = "first: u32, second: u64, "; }
//! ```
//!
//! Knows nothing of the structures.

/// Declares the structure, and its fields as the text that is put into generated code.
macro_rules! layout {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$about:meta])* $visible:vis $field:ident: $ty:ty,)+ }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        pub struct $name { $($(#[$about])* $visible $field: $ty,)+ }

        impl $name {
            /// The fields as source code, in their order.
            pub const FIELDS: &'static str = concat!($(stringify!($field), ": ", stringify!($ty), ", "),+);
        }
    };
}
