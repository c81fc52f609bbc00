//! What passes between host and plugin: plain data, or an object of a shared type.
//!
//! Plain data keeps no tie to the side that made it. An object does: its code lies in the maker's
//! image, which is why a plugin that gave or got one is never unloaded.

use std::any::{type_name, Any};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::Serialize;

use super::live_data::{LiveData, LiveDataError};

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
    Object(Object),
}

struct Object {
    value: Box<dyn Any + Send + Sync>,
    type_name: String,
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

    /// An object, moved. Its type must be one that both sides know from a crate of shared types:
    /// only those are compared field by field. Two versions of a plugin's own type may have one
    /// `TypeId` and two layouts.
    pub fn object<T: Any + Send + Sync>(value: T) -> Self {
        Self(Content::Object(Object {
            value: Box::new(value),
            type_name: type_name::<T>().to_owned(),
        }))
    }

    /// The plain data as a `T`.
    ///
    /// # Errors
    /// If the data has another shape, or this is an object.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, LiveDataError> {
        match &self.0 {
            Content::Plain(data) => data.get(),
            Content::Object(object) => Err(LiveDataError::Object {
                type_name: object.type_name.clone(),
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
    /// Gives the value back if it is no `T`.
    pub fn downcast<T: Any>(self) -> Result<T, Value> {
        match self.0 {
            Content::Object(Object { value, type_name }) => match value.downcast::<T>() {
                Ok(value) => Ok(*value),
                Err(value) => Err(Value(Content::Object(Object { value, type_name }))),
            },
            plain => Err(Value(plain)),
        }
    }

    /// The object, borrowed.
    pub fn object_ref<T: Any>(&self) -> Option<&T> {
        match &self.0 {
            Content::Object(object) => object.value.downcast_ref(),
            Content::Plain(_) => None,
        }
    }

    /// Whether this is an object rather than plain data.
    pub fn is_object(&self) -> bool {
        matches!(self.0, Content::Object(_))
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
            Content::Object(object) => write!(f, "object of type {}", object.type_name),
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
