//! Live data: what a job carries through a queue, from the version that queued it to the one that
//! handles it.

use serde::de::value::{Error as PlainError, SeqDeserializer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lenient::Lenient;

/// Data without a type: scalars, strings, bytes, and whatever is serialisable.
///
/// A field that the newer type has and the data lacks gets its serde default, or else a zero value
/// (`0`, `""`, `None`, empty); one that the newer type lacks is passed over. Another type is an
/// error.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use soft_mock::plugin::LiveData;
///
/// #[derive(Serialize)]
/// struct Mail { to: String, urgent: bool }
///
/// // The same type in a later version.
/// #[derive(Deserialize)]
/// struct NewMail { to: String, tries: u32 }
///
/// let data = LiveData::new(&Mail { to: "ann".into(), urgent: true }).unwrap();
/// let text = serde_json::to_string(&data).unwrap();        // it can wait in a file
/// let data: LiveData = serde_json::from_str(&text).unwrap();
/// let mail: NewMail = data.get().unwrap();
/// assert_eq!((mail.to.as_str(), mail.tries), ("ann", 0));
/// assert!(data.get::<u32>().is_err());
/// ```
///
/// Numbers that are not finite can't be kept: they become nothing, as in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveData(Content);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Data(serde_json::Value),
    Bytes(Vec<u8>),
}

/// Why data could not be wrapped or restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LiveDataError {
    /// It can't be written as data.
    #[error("this can't be kept as data: {cause}")]
    Wrap {
        /// The cause.
        cause: String,
    },
    /// It has another type.
    #[error("the data is no {wanted}: {cause}")]
    Type {
        /// The type that was asked for.
        wanted: String,
        /// What doesn't fit.
        cause: String,
    },
    /// It is an object.
    #[error("this is no plain data but an object of type {type_name}")]
    Object {
        /// The object's type.
        type_name: String,
    },
}

impl LiveData {
    /// Nothing.
    pub fn none() -> Self {
        Self(Content::Data(serde_json::Value::Null))
    }

    /// Wraps a value.
    ///
    /// # Errors
    /// If it can't be written as data, such as a map with keys that are no strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, LiveDataError> {
        match serde_json::to_value(value) {
            Ok(data) => Ok(Self(Content::Data(data))),
            Err(error) => Err(LiveDataError::Wrap {
                cause: error.to_string(),
            }),
        }
    }

    /// Restores the value as a `T`.
    ///
    /// # Errors
    /// If the data is of another type.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, LiveDataError> {
        let wrong = |cause: String| LiveDataError::Type {
            wanted: std::any::type_name::<T>().to_owned(),
            cause,
        };
        match &self.0 {
            Content::Bytes(bytes) => {
                let bytes = SeqDeserializer::<_, PlainError>::new(bytes.iter().copied());
                T::deserialize(bytes).map_err(|error| wrong(error.to_string()))
            }
            // First as serde sees it, so that the defaults that a type declares are its own.
            Content::Data(data) => T::deserialize(data).or_else(|strict| {
                T::deserialize(Lenient::of(data)).map_err(|_| wrong(strict.to_string()))
            }),
        }
    }

    /// The bytes, if these are bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes),
            Content::Data(_) => None,
        }
    }
}

macro_rules! from_scalars {
    ($($scalar:ty),*) => { $(
        impl From<$scalar> for LiveData {
            fn from(value: $scalar) -> Self {
                Self(Content::Data(value.into()))
            }
        }
    )* };
}

from_scalars!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    f32,
    f64,
    String,
    &str,
    serde_json::Value
);

impl From<Vec<u8>> for LiveData {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Content::Bytes(bytes))
    }
}

impl From<&[u8]> for LiveData {
    fn from(bytes: &[u8]) -> Self {
        Self(Content::Bytes(bytes.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        text: String,
        count: Option<u8>,
        letter: char,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Small,
        Named { name: String, size: f64 },
        Pair(u8, Inner),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        inner: Inner,
        all: Vec<Inner>,
        by_name: BTreeMap<String, Inner>,
        kind: Kind,
        #[serde(default = "five")]
        five: u8,
        unit: (),
        pair: (i8, bool),
    }

    fn five() -> u8 {
        5
    }

    fn restore<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, LiveDataError> {
        LiveData::from(json).get()
    }

    #[test]
    fn missing_fields_become_zero_values_at_every_depth() {
        let empty = Inner {
            text: String::new(),
            count: None,
            letter: '\0',
        };
        let outer: Outer = restore(serde_json::json!({
            "all": [{ "text": "x", "gone": 1 }],
            "by_name": { "n": {} },
            "kind": { "Pair": [3, { "count": 4 }] },
            "five": 6,
        }))
        .expect("an outer");
        assert_eq!(outer.inner, empty);
        assert_eq!(outer.all[0].text, "x");
        assert_eq!(outer.by_name["n"], empty);
        assert_eq!(
            outer.kind,
            Kind::Pair(
                3,
                Inner {
                    text: String::new(),
                    count: Some(4),
                    letter: '\0'
                }
            )
        );
        assert_eq!((outer.five, outer.pair), (6, (0, false)));
        let kind: Kind = restore(serde_json::json!({ "Named": { "size": 2 } })).expect("a kind");
        assert_eq!(
            kind,
            Kind::Named {
                name: String::new(),
                size: 2.0
            }
        );
        assert_eq!(restore::<Kind>(serde_json::json!("Small")), Ok(Kind::Small));
    }

    #[test]
    fn declared_defaults_come_first() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Only {
            #[serde(default = "five")]
            five: u8,
        }
        assert_eq!(restore::<Only>(serde_json::json!({})), Ok(Only { five: 5 }));
    }

    #[test]
    fn another_type_is_an_error() {
        assert!(restore::<Outer>(serde_json::json!({ "all": 3, "kind": "Small" })).is_err());
        assert!(
            restore::<Outer>(serde_json::json!({})).is_err(),
            "an enum has no zero value"
        );
        assert!(restore::<u8>(serde_json::json!(300)).is_err());
        assert!(restore::<String>(serde_json::json!(3)).is_err());
        assert!(LiveData::from(vec![1_u8, 2]).get::<String>().is_err());
    }

    #[test]
    fn scalars_strings_and_bytes_come_back() {
        let again = |data: LiveData| -> LiveData {
            serde_json::from_str(&serde_json::to_string(&data).expect("JSON")).expect("live data")
        };
        assert_eq!(again(LiveData::from(-5_i64)).get(), Ok(-5_i64));
        assert_eq!(again(LiveData::from(u64::MAX)).get(), Ok(u64::MAX));
        assert_eq!(again(LiveData::from(0.1_f64)).get(), Ok(0.1_f64));
        assert_eq!(again(LiveData::from("text")).get(), Ok("text".to_owned()));
        let bytes = again(LiveData::from(vec![0_u8, 255]));
        assert_eq!(
            (bytes.bytes(), bytes.get()),
            (Some(&[0, 255][..]), Ok(vec![0_u8, 255]))
        );
    }
}
