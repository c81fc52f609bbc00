//! A patch of a managed plugin's library: which of the libraries of a process it is bound to.
//!
//! Such a patch needs its library by a name that stands for "the one you are loaded for". Before
//! the private copy is written, the path of that one is put there. Then the dynamic linker binds
//! the patch to it and to no other, and keeps it for as long as the patch is there. Knows nothing
//! of sites.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use soft_mock_abi::manifest::IMAGE;

use super::error::Refusal;
use crate::platform;

/// Both have a copy of std, of the shared crates and so on, and code of the plugin must meet the
/// plugin's.
pub(super) const FIRST: i32 = platform::OWN_SYMBOLS_FIRST;

const LIBRARY: &str = "the library of a managed plugin";
const PROGRAM: &str = "the program";

/// Binds the patch in `bytes` to `image`. One for the program must not name a library.
pub(super) fn bind(bytes: &mut [u8], image: Option<&Path>) -> Result<(), Refusal> {
    let name = IMAGE.as_bytes();
    let places: Vec<usize> = bytes
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| *window == name)
        .map(|(place, _)| place)
        .collect();
    let other = |linked, wanted| Err(Refusal::OtherImage { linked, wanted });
    match (image, places.as_slice()) {
        (None, []) => Ok(()),
        (None, _) => other(LIBRARY, PROGRAM),
        (Some(_), _) if FIRST == 0 => other(PROGRAM, LIBRARY),
        (Some(image), [place]) => write(&mut bytes[*place..place + name.len()], image),
        (Some(_), _) => other(PROGRAM, LIBRARY),
    }
}

fn write(place: &mut [u8], image: &Path) -> Result<(), Refusal> {
    let path = image.as_os_str().as_bytes();
    // A NUL ends it.
    if path.len() >= place.len() || path.contains(&0) {
        return Err(Refusal::Damaged {
            cause: format!("there is no place in it for the path {}", image.display()),
        });
    }
    let (own, rest) = place.split_at_mut(path.len());
    own.copy_from_slice(path);
    rest.fill(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &str, image: Option<&str>, expected: Option<&str>) {
        let mut bytes = bytes.as_bytes().to_vec();
        let result = bind(&mut bytes, image.map(Path::new));
        let text = String::from_utf8(bytes).expect("text").replace('\0', "");
        assert_eq!(result.is_ok().then_some(text.as_str()), expected);
    }

    #[test]
    fn the_name_is_replaced_where_it_belongs() {
        let named = format!("before {IMAGE}\0after");
        check(&named, Some("/tmp/a.so"), Some("before /tmp/a.soafter"));
        check("before", None, Some("before"));
    }

    #[test]
    fn what_is_for_something_else_is_refused() {
        check(IMAGE, None, None);
        check("nothing", Some("/tmp/a.so"), None);
        check(&format!("{IMAGE}{IMAGE}"), Some("/tmp/a.so"), None);
        check(IMAGE, Some(&"/long".repeat(100)), None);
    }
}
