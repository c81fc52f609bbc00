//! Objects whose type was forgotten, and who may have them back.
//!
//! A `TypeId` stands for the name of a type, the names of its fields and its arguments, but not for
//! what the fields are. In one image that is enough. Two images can have two layouts, or two sets
//! of methods, under one id: the versions of a plugin, most of all. So an object knows the image
//! that made it, and another one gets it only if every crate in the type's name has left a record
//! (`shared!()`) in both, and the records are equal. What comes with the compiler needs none, for
//! all images have one compiler.
//!
//! Knows nothing of plugins and of what objects are for.

use std::any::{type_name, Any};
use std::ops::Deref;
use std::ptr;
use std::sync::Arc;

use super::abi::{own_records, Record};
use super::error::{ObjectError, OtherType};

type AnyShared = dyn Any + Send + Sync;

/// An object in a `Box` or an `Arc`, its type forgotten.
#[derive(Clone)]
pub(crate) struct Object<P> {
    pointer: P,
    origin: Origin,
}

/// Where a type comes from. What it refers to lies in the image that made the object, as the code
/// does by which the object is dropped.
#[derive(Clone, Copy)]
struct Origin {
    maker: &'static Maker,
    type_name: &'static str,
}

/// What an image knows of the crates that its types come from.
struct Maker {
    records: fn(&str) -> &'static [Record],
}

/// One in each copy of this crate, that is in each image: its address tells them apart.
static OWN: Maker = Maker {
    records: own_records,
};

/// Not generic, so that there is one, beside the static.
#[inline(never)]
fn own() -> &'static Maker {
    &OWN
}

impl Object<Box<AnyShared>> {
    pub(crate) fn boxed<T: Any + Send + Sync>(object: T) -> Self {
        Self {
            pointer: Box::new(object),
            origin: Origin::of::<T>(),
        }
    }

    /// The object, taken out; or itself, and the reason.
    pub(crate) fn take<T: Any>(self) -> Result<T, (Self, ObjectError)> {
        if let Err(error) = self.check::<T>() {
            return Err((self, error));
        }
        let origin = self.origin;
        match self.pointer.downcast() {
            Ok(object) => Ok(*object),
            Err(pointer) => Err((Self { pointer, origin }, origin.no::<T>())),
        }
    }
}

impl Object<Arc<AnyShared>> {
    pub(crate) fn shared<T: Any + Send + Sync>(object: Arc<T>) -> Self {
        Self {
            pointer: object,
            origin: Origin::of::<T>(),
        }
    }

    pub(crate) fn share<T: Any + Send + Sync>(self) -> Result<Arc<T>, ObjectError> {
        self.check::<T>()?;
        let origin = self.origin;
        self.pointer.downcast().map_err(|_| origin.no::<T>())
    }
}

impl<P: Deref<Target = AnyShared>> Object<P> {
    pub(crate) fn type_name(&self) -> &str {
        self.origin.type_name
    }

    /// The object, if its type is a `T`, and the same `T` as here.
    pub(crate) fn get<T: Any>(&self) -> Result<&T, ObjectError> {
        self.check::<T>()?;
        let object = (*self.pointer).downcast_ref();
        object.ok_or_else(|| self.origin.no::<T>())
    }

    fn check<T: Any>(&self) -> Result<(), ObjectError> {
        match (*self.pointer).is::<T>() {
            true => Ok(self.origin.check()?),
            false => Err(self.origin.no::<T>()),
        }
    }
}

impl Origin {
    fn of<T: ?Sized>() -> Self {
        Self {
            maker: own(),
            type_name: type_name::<T>(),
        }
    }

    fn no<T: ?Sized>(&self) -> ObjectError {
        ObjectError::Type {
            wanted: type_name::<T>().to_owned(),
            found: self.type_name.to_owned(),
        }
    }

    /// Whether the type that has this id in the maker's image is the one that has it here.
    fn check(&self) -> Result<(), OtherType> {
        match ptr::eq(self.maker, own()) {
            true => Ok(()),
            false => compare(self.type_name, self.maker.records, own().records),
        }
    }
}

/// Whether a type is the same in two images, by its name and by the records of each.
fn compare(
    type_name: &str,
    theirs: fn(&str) -> &'static [Record],
    ours: fn(&str) -> &'static [Record],
) -> Result<(), OtherType> {
    for path in paths(type_name) {
        let (krate, inside) = path.split_once("::").unwrap_or((path, ""));
        if ["core", "alloc", "std"].contains(&krate) {
            if let Some(erased) = erased(inside) {
                return Err(OtherType::Erased {
                    type_name: type_name.to_owned(),
                    erased,
                });
            }
        } else if let Err(difference) = same_crate(theirs(krate), ours(krate)) {
            return Err(OtherType::Crate {
                type_name: type_name.to_owned(),
                krate: krate.to_owned(),
                difference,
            });
        }
    }
    Ok(())
}

/// Whether a crate is the same by what it left in two images. The id of a type holds cargo's hash
/// of its crate: of several crates with one name, only those with one hash can be meant.
fn same_crate(theirs: &[Record], ours: &[Record]) -> Result<(), Option<String>> {
    let mut pairs = theirs.iter().flat_map(|theirs| {
        let meant = ours.iter().filter(|ours| ours.has_hash_of(theirs));
        meant.map(move |ours| (theirs, ours))
    });
    let first = pairs.next().ok_or(None)?;
    let different = std::iter::once(first)
        .chain(pairs)
        .find(|(theirs, ours)| theirs != ours);
    match different {
        Some((theirs, ours)) => Err(Some(theirs.difference(ours))),
        None => Ok(()),
    }
}

/// The paths in a type's name, each from its crate on.
fn paths(type_name: &str) -> impl Iterator<Item = &str> {
    let inside = |letter: char| letter.is_alphanumeric() || ['_', ':', '#'].contains(&letter);
    type_name
        .split(move |letter| !inside(letter))
        // The rest of a path whose start is in brackets belongs to what stands in there.
        .filter(|path| path.contains("::") && !path.starts_with("::"))
}

/// What of the standard library is, or gives out, something that anybody can take apart by the id
/// of a type alone.
fn erased(inside: &str) -> Option<&'static str> {
    let (module, last) = (inside.split("::").next()?, inside.rsplit("::").next()?);
    match (module, last) {
        ("any", "Any") => Some("dyn Any"),
        ("error", _) => Some("dyn Error"),
        ("thread", "JoinHandle") => Some("the result of a thread"),
        ("io", _) | ("net", "ToSocketAddrs") => Some("io::Error"),
        ("os", last) if last.ends_with("Ext") => Some("io::Error"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::thread::JoinHandle;

    use super::*;

    fn nothing(_: &str) -> &'static [Record] {
        &[]
    }

    /// What a type would be said to be in another image, where no crate has left a record.
    fn elsewhere<T: ?Sized>() -> Result<(), OtherType> {
        compare(type_name::<T>(), nothing, own_records)
    }

    #[track_caller]
    fn passes<T: ?Sized>() {
        assert_eq!(elsewhere::<T>(), Ok(()));
    }

    #[track_caller]
    fn needs_a_record<T: ?Sized>(of: &str) {
        match elsewhere::<T>() {
            Err(OtherType::Crate { krate, .. }) => assert_eq!(krate, of),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn is_erased<T: ?Sized>() {
        let found = elsewhere::<T>();
        assert!(matches!(found, Err(OtherType::Erased { .. })), "{found:?}");
    }

    struct Own;

    mod r#mod {
        pub(super) struct Deep<T, const N: usize>([T; N]);

        pub(super) trait Tells {
            type What;
        }

        impl Tells for super::Own {
            type What = super::Own;
        }
    }

    #[test]
    fn the_standard_library_needs_no_record() {
        passes::<u32>();
        passes::<(String, [Vec<u8>; 3], &'static str)>();
        passes::<fn(&str, std::collections::BTreeMap<char, u8>) -> Option<()>>();
        passes::<dyn Fn(u8) -> Box<dyn Iterator<Item = u8>> + Send>();
        passes::<std::sync::Mutex<std::sync::mpsc::Sender<std::any::TypeId>>>();
        passes::<std::net::TcpListener>();
        passes::<std::os::fd::OwnedFd>();
    }

    #[test]
    fn wherever_a_crate_stands_in_a_name_it_needs_one() {
        fn of_value<T>(_: &T) -> Result<(), OtherType> {
            elsewhere::<T>()
        }
        const OWN: &str = "soft_mock";
        needs_a_record::<Own>(OWN);
        needs_a_record::<Vec<Own>>(OWN);
        needs_a_record::<&'static [Own]>(OWN);
        needs_a_record::<r#mod::Deep<u8, 2>>(OWN);
        needs_a_record::<Option<r#mod::Deep<Own, 2>>>(OWN);
        needs_a_record::<fn(&Own)>(OWN);
        needs_a_record::<fn() -> Own>(OWN);
        needs_a_record::<dyn Fn(u8, Own) -> u8>(OWN);
        needs_a_record::<Box<dyn r#mod::Tells<What = u8>>>(OWN);
        needs_a_record::<Option<<Own as r#mod::Tells>::What>>(OWN);
        needs_a_record::<serde_json::Value>("serde_json");
        for found in [
            of_value(&|| ()),
            of_value(&async { std::future::ready(Own).await }),
            of_value(&Vec::<Own>::with_capacity),
            of_value(&[1].iter().map(|_| Own)),
        ] {
            assert!(matches!(found, Err(OtherType::Crate { .. })), "{found:?}");
        }
    }

    #[test]
    fn what_can_be_taken_apart_by_anybody_does_not_pass() {
        is_erased::<dyn Any + Send>();
        is_erased::<Result<(), Box<dyn Error + Send + Sync>>>();
        is_erased::<fn() -> std::io::Result<()>>();
        is_erased::<Box<dyn std::io::Read>>();
        is_erased::<dyn std::net::ToSocketAddrs<Iter = std::vec::IntoIter<std::net::SocketAddr>>>();
        is_erased::<dyn std::os::unix::fs::FileExt>();
        is_erased::<Option<JoinHandle<()>>>();
    }

    #[test]
    fn records_of_one_hash_are_compared() {
        // This crate has one.
        let own = own_records("soft_mock");
        assert_eq!(compare("soft_mock::A", own_records, own_records), Ok(()));
        assert_eq!(same_crate(own, own), Ok(()));
        assert_eq!(same_crate(own, &[]), Err(None));
        let line = |metadata: &str, sources: &str| -> Record {
            let line = format!(
                r#"{{"crate":"a","version":"1","rustc":"r","metadata":"{metadata}","features":"","flags":"","sources":"{sources}","dependencies":""}}"#
            );
            serde_json::from_str(&line).expect("a record")
        };
        let difference = Err(Some("sources: `2` there, `1` here".to_owned()));
        assert_eq!(same_crate(&[line("m", "2")], &[line("m", "1")]), difference);
        assert_eq!(same_crate(&[line("m", "1")], &[line("n", "1")]), Err(None));
        let two = [line("n", "2"), line("m", "1")];
        assert_eq!(same_crate(&two, &[line("m", "1")]), Ok(()));
        assert_eq!(
            same_crate(&two, &[line("m", "1"), line("n", "1")]),
            difference
        );
    }

    #[test]
    fn within_an_image_every_type_passes() {
        let object = Object::boxed(Own);
        assert!(object.get::<Own>().is_ok() && object.get::<u8>().is_err());
        assert!(Object::shared(Arc::new(Own)).clone().share::<Own>().is_ok());
        assert!(object.take::<Own>().is_ok());
        let error = Object::boxed(1_u8)
            .take::<Own>()
            .map(|_| ())
            .map_err(|(_, error)| error);
        assert_eq!(
            error.expect_err("another type").to_string(),
            "the object is a `u8`, not a `soft_mock::plugin::object::tests::Own`"
        );
    }
}
