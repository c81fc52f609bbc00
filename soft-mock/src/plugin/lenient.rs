//! A deserializer that gives a zero value for every field of a struct that the data lacks.
//!
//! Nothing else is bent: what is there must have the right type.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor,
};
use serde_json::{Error, Value};

/// Data, or the lack of it.
#[derive(Clone, Copy)]
pub(super) struct Lenient<'a>(Option<&'a Value>);

impl<'a> Lenient<'a> {
    pub(super) fn of(data: &'a Value) -> Self {
        Self(Some(data))
    }

    const ZERO: Self = Self(None);

    fn sequence<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Some(Value::Array(items)) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(Lenient::of)))
            }
            None => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Lenient<'_>>())),
            Some(_) => self.deserialize_any(visitor),
        }
    }

    /// The entries of a map, and zeros for the `fields` that it lacks.
    fn fields<'de, V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let map = match self.0 {
            Some(Value::Object(map)) => Some(map),
            None => None,
            Some(_) => return self.deserialize_any(visitor),
        };
        let present = map
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), Lenient::of(value)));
        let missing = fields
            .iter()
            .filter(|field| map.is_none_or(|map| !map.contains_key(**field)))
            .map(|field| (*field, Lenient::ZERO));
        visitor.visit_map(MapDeserializer::new(present.chain(missing)))
    }
}

macro_rules! zero {
    ($($method:ident => $visit:ident($zero:expr)),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                None => visitor.$visit($zero),
                Some(_) => self.deserialize_any(visitor),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Lenient<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::Number(number)) => number.clone().deserialize_any(visitor),
            Some(Value::String(text)) => visitor.visit_str(text),
            Some(Value::Array(_)) => self.sequence(visitor),
            Some(Value::Object(_)) => self.fields(&[], visitor),
        }
    }

    zero! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_i8(0),
        deserialize_i16 => visit_i16(0),
        deserialize_i32 => visit_i32(0),
        deserialize_i64 => visit_i64(0),
        deserialize_i128 => visit_i64(0),
        deserialize_u8 => visit_u8(0),
        deserialize_u16 => visit_u16(0),
        deserialize_u32 => visit_u32(0),
        deserialize_u64 => visit_u64(0),
        deserialize_u128 => visit_u64(0),
        deserialize_f32 => visit_f32(0.0),
        deserialize_f64 => visit_f64(0.0),
        deserialize_char => visit_char('\0'),
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
        deserialize_identifier => visit_str(""),
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            None => visitor.visit_seq(SeqDeserializer::new((0..length).map(|_| Lenient::ZERO))),
            Some(_) => self.sequence(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.fields(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            // A struct may also be written as the sequence of its fields.
            Some(Value::Array(_)) => self.sequence(visitor),
            _ => self.fields(fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Some(Value::String(variant)) => visitor.visit_enum(Variant {
                variant,
                content: None,
            }),
            Some(Value::Object(map)) if map.len() == 1 => match map.iter().next() {
                Some((variant, content)) => visitor.visit_enum(Variant {
                    variant,
                    content: Some(content),
                }),
                None => Err(Error::custom("no variant")),
            },
            _ => Err(Error::custom(format_args!("no variant of the enum {name}"))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// One variant of an enum, with its content.
struct Variant<'a> {
    variant: &'a str,
    content: Option<&'a Value>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Lenient<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Lenient<'a>), Error> {
        let name: StrDeserializer<'_, Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, Lenient(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Lenient<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Error::custom("this variant has no content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        match self.0 {
            None => Err(Error::custom("this variant has content")),
            Some(_) => seed.deserialize(self),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            None => Err(Error::custom("this variant has content")),
            Some(_) => self.deserialize_tuple(length, visitor),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            None => Err(Error::custom("this variant has content")),
            Some(_) => self.fields(fields, visitor),
        }
    }
}
