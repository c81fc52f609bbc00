//! Types that `mock!` can't write: the shapes of arguments whose types are left out, borrowed for
//! the call or not; and what never comes.
//!
//! ```text
//! |sku, n| …                Shared<str>, Owned<u32>
//! for<'a> fn(&'a str, u32)  <Shared<str> as Shape>::Of<'a>, <Owned<u32> as Shape>::Of<'_>
//! ```

use std::marker::PhantomData;

/// An argument's type, for each lifetime of a call.
pub trait Shape: 'static {
    /// The type.
    type Of<'a>;
    /// What is behind the reference, if it is one.
    type Inner: ?Sized;

    /// The argument, to be looked at.
    fn look<'l>(argument: &'l Self::Of<'_>) -> &'l Self::Inner;
}

/// `T`.
#[derive(Debug)]
pub struct Owned<T>(PhantomData<T>);

/// `&T`.
#[derive(Debug)]
pub struct Shared<T: ?Sized>(PhantomData<T>);

/// `&mut T`.
#[derive(Debug)]
pub struct Exclusive<T: ?Sized>(PhantomData<T>);

impl<T: 'static> Shape for Owned<T> {
    type Of<'a> = T;
    type Inner = T;

    fn look(argument: &T) -> &T {
        argument
    }
}

impl<T: ?Sized + 'static> Shape for Shared<T> {
    type Of<'a> = &'a T;
    type Inner = T;

    fn look<'l>(argument: &'l &T) -> &'l T {
        argument
    }
}

impl<T: ?Sized + 'static> Shape for Exclusive<T> {
    type Of<'a> = &'a mut T;
    type Inner = T;

    fn look<'l>(argument: &'l &mut T) -> &'l T {
        argument
    }
}

/// What a function returns. `Fn() -> !` can't be written, this can: `<fn() -> ! as Returns>::Of`.
pub trait Returns {
    /// It.
    type Of;
}

impl<R> Returns for fn() -> R {
    type Of = R;
}
