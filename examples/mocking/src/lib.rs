//! A small shop. Nothing here knows that its tests replace some of it.

pub mod checkout;
pub mod clock;
pub mod kinds;
pub mod pricing;
