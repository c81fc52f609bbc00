//! `shared!()`: a line about this crate in the section `soft_mock_shared` of every image that
//! contains it.
//!
//! ```text
//! before   soft_mock::plugin::shared!();
//! after    const _: () = { #[used] #[unsafe(link_section = "soft_mock_shared")] static RECORD: [u8; N] = *b"{…}\n"; };
//! ```
//!
//! The bytes hold no pointer, so the line can be read from a file that was never loaded.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use soft_mock_abi::section;

use crate::record::Record;

pub(crate) fn expand() -> syn::Result<TokenStream> {
    let mut line = Record::of_this_crate()?.to_json();
    line.push('\n');
    let length = line.len();
    let bytes = Literal::byte_string(line.as_bytes());
    let section = section::SHARED;
    Ok(quote! {
        const _: () = {
            #[used]
            #[cfg_attr(target_os = "linux", unsafe(link_section = #section))]
            static RECORD: [u8; #length] = *#bytes;
        };
    })
}
