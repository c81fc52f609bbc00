//! Which of several mocks of one function takes a call, by its arguments and by what each demands.
//!
//! Of the mocks that a thread sees, those that demand a number of calls are asked first, in the
//! order in which they were made, and then the newest of the others: each takes the call if its
//! `when` fits and it hasn't had all its calls. If none does, the call panics, where it was made.

use soft_mock_abi::site::Site;

use super::call::{self, Call};
use super::record::{Admission, Record};
use super::scoped;

/// Lets the mock of a call take it, or gives the code of the one that is asked next, whose call has
/// begun: it has to be called at once, with the same arguments. `I` is the type of a pointer to the
/// function.
///
/// # Panics
/// If none is left, or if the call comes before others that are due.
pub fn admit<I: Copy + 'static>(
    call: Call,
    fits: bool,
    arguments: impl FnOnce() -> Vec<String>,
) -> Result<Call, I> {
    let site = call.record().site();
    // SAFETY: it is compared with a type of the program's.
    let type_id = unsafe { site.type_id() };
    assert!(
        type_id.is_some_and(|id| id() == std::any::TypeId::of::<I>()) && !site.is_async(),
        "the code of a mock has the type of its function"
    );
    admit_any(call, fits, arguments).map_err(|code| {
        // SAFETY: code of a mock at this site, which has the type of the site's function.
        unsafe { std::mem::transmute_copy::<*const (), I>(&code) }
    })
}

/// [`admit`] for async functions, whose code has a type without a name.
#[cold]
#[inline(never)]
pub fn admit_any(
    call: Call,
    fits: bool,
    arguments: impl FnOnce() -> Vec<String>,
) -> Result<Call, *const ()> {
    let arguments = arguments().join(", ");
    let admission = match fits {
        true => call.record().admit(call.is_own(), &arguments),
        false => Admission::Refused,
    };
    match admission {
        Admission::Taken => return Ok(call),
        Admission::Refused => {}
        Admission::Early(why) => {
            let text = early(call.record(), &arguments, &why);
            drop(call);
            panic!("{text}");
        }
    }
    let (site, rank) = (call.record().site(), call.rank());
    match scoped::begin_behind(site, rank) {
        Some(begun) => {
            // What is freed with the call comes before what is left for the next one.
            drop(call);
            let code = begun.node().code().cast_const();
            call::leave(begun);
            Err(code)
        }
        None => {
            let text = untaken(site, &arguments);
            drop(call);
            panic!("{text}");
        }
    }
}

fn short(site: &'static Site) -> &'static str {
    let name = site.name();
    name.rsplit("::").next().unwrap_or(name)
}

fn early(record: &Record, arguments: &str, why: &str) -> String {
    let site = record.site();
    format!(
        "`{}` was called out of order\n  call: {}({arguments})\n  mock: {}\n  {why}",
        site.name(),
        short(site),
        record.describe(),
    )
}

fn untaken(site: &'static Site, arguments: &str) -> String {
    let mut text = format!(
        "no mock of `{}` takes this call\n  call: {}({arguments})",
        site.name(),
        short(site)
    );
    scoped::each_seen(site, |record| {
        if record.is_full() {
            record.note_refused(arguments);
        }
        text.push_str("\n  mock: ");
        text.push_str(&record.describe());
    });
    text
}
