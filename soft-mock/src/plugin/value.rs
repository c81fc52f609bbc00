//! What passes between host and plugin: plain data, or an object of a shared type.
//!
//! Plain data keeps no tie to the side that made it. An object does: its code lies in the maker's
//! image, which is why a plugin that gave or got one is never unloaded.

use std::any::{type_name, Any};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::Serialize;

use super::error::{NotTaken, ObjectError};
use super::live_data::{LiveData, LiveDataError};
use super::object::Object;

/// The argument or the result of a call across the border.
///
/// ```
/// use soft_mock::plugin::Value;
///
/// assert_eq!(Value::from(7).get::<u8>().unwrap(), 7);
/// assert_eq!(Value::of(&("a", [1, 2])).unwrap().get::<(String, Vec<u8>)>().unwrap().1, [1, 2]);
/// assert!(Value::from("seven").get::<u8>().is_err());
/// assert!(Value::none().get::<()>().is_ok());
///
/// let object = Value::object(std::sync::Mutex::new(1));
/// assert!(object.downcast::<String>().is_err());
/// ```
pub struct Value(Content);

enum Content {
    Plain(LiveData),
    Object(Object<Box<dyn Any + Send + Sync>>),
}

impl Value {
    /// Nothing.
    pub fn none() -> Self {
        Self(Content::Plain(LiveData::none()))
    }

    /// Plain data, copied from anything serialisable.
    ///
    /// # Errors
    /// If `value` can't be written as data, such as a map with keys that are no strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, LiveDataError> {
        Ok(Self(Content::Plain(LiveData::new(value)?)))
    }

    /// An object, moved. Another library gets it out only if its type is of crates of shared types,
    /// or of the standard library: two versions of a plugin's own type may have one `TypeId` and
    /// two layouts.
    pub fn object<T: Any + Send + Sync>(value: T) -> Self {
        Self(Content::Object(Object::boxed(value)))
    }

    /// The plain data as a `T`.
    ///
    /// # Errors
    /// If the data has another shape, or this is an object.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, LiveDataError> {
        match &self.0 {
            Content::Plain(data) => data.get(),
            Content::Object(object) => Err(LiveDataError::Object {
                type_name: object.type_name().to_owned(),
            }),
        }
    }

    /// The plain data.
    pub fn data(&self) -> Option<&LiveData> {
        match &self.0 {
            Content::Plain(data) => Some(data),
            Content::Object(_) => None,
        }
    }

    /// The object, taken out.
    ///
    /// # Errors
    /// Gives the value back if it is no `T`, or may be another `T` than this library's.
    pub fn downcast<T: Any>(self) -> Result<T, NotTaken> {
        let (value, error) = match self.0 {
            Content::Object(object) => match object.take() {
                Ok(object) => return Ok(object),
                Err((object, error)) => (Self(Content::Object(object)), error),
            },
            plain => (Self(plain), no_object::<T>()),
        };
        Err(NotTaken { value, error })
    }

    /// The object, borrowed.
    ///
    /// # Errors
    /// As for [`downcast`](Self::downcast).
    pub fn object_ref<T: Any>(&self) -> Result<&T, ObjectError> {
        match &self.0 {
            Content::Object(object) => object.get(),
            Content::Plain(_) => Err(no_object::<T>()),
        }
    }

    /// Whether this is an object rather than plain data.
    pub fn is_object(&self) -> bool {
        matches!(self.0, Content::Object(_))
    }
}

fn no_object<T: Any>() -> ObjectError {
    ObjectError::Plain {
        wanted: type_name::<T>().to_owned(),
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::Plain(data) => data.fmt(f),
            Content::Object(object) => write!(f, "object of type {}", object.type_name()),
        }
    }
}

impl<T: Into<LiveData>> From<T> for Value {
    fn from(value: T) -> Self {
        Self(Content::Plain(value.into()))
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::none()
    }
}
