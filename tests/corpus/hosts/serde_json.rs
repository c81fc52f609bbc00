//! Values read and written in several ways, and a type that is.

use std::collections::BTreeMap;

use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_core::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{json, Map, Number, Value};

#[derive(Debug, Default, PartialEq)]
struct User {
    name: String,
    ids: Vec<u64>,
    score: Option<f64>,
    extra: BTreeMap<u8, (i32, char, bool)>,
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut user = to.serialize_struct("User", 4)?;
        user.serialize_field("name", &self.name)?;
        user.serialize_field("ids", &self.ids)?;
        user.serialize_field("score", &self.score)?;
        user.serialize_field("extra", &self.extra)?;
        user.end()
    }
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = User;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a user")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<User, A::Error> {
                let mut user = User::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" => user.name = map.next_value()?,
                        "ids" => user.ids = map.next_value()?,
                        "score" => user.score = map.next_value()?,
                        "extra" => user.extra = map.next_value()?,
                        _ => drop(map.next_value::<Value>()?),
                    }
                }
                Ok(user)
            }
        }
        from.deserialize_struct("User", &["name", "ids", "score", "extra"], Fields)
    }
}

struct Pairs(Vec<(i64, f32)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct List<'a>(&'a [Value]);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for value in self.0 {
            list.serialize_element(value)?;
        }
        list.end()
    }
}

fn both_ways(user: &User) -> serde_json::Result<()> {
    let text = serde_json::to_string(user)?;
    let pretty = serde_json::to_vec_pretty(user)?;
    let mut written = Vec::new();
    serde_json::to_writer_pretty(&mut written, &Pairs(vec![(1, 1.5), (-2, 0.1)]))?;
    assert_eq!(serde_json::from_str::<User>(&text)?, *user);
    assert_eq!(serde_json::from_slice::<User>(&pretty)?, *user);
    assert_eq!(
        serde_json::from_reader::<_, User>(pretty.as_slice())?,
        *user
    );
    let value = serde_json::to_value(user)?;
    assert_eq!(serde_json::from_value::<User>(value.clone())?, *user);
    assert_eq!(User::deserialize(&value)?, *user);
    let _ = serde_json::to_string(&List(&[json!([null, true, -1, 2.5e300, "é\n\u{1}"])]))?;
    Ok(())
}

fn values() -> Option<()> {
    let mut value = json!({"a": [1, 2, {"b": "c"}], "d": 1.5, "e": null, "f": true});
    *value.pointer_mut("/a/2/b")? = json!("x");
    value["g"] = Value::from(u64::MAX);
    let _ = (
        value["a"][0].as_i64(),
        value["d"].as_f64(),
        value["e"].is_null(),
        value["f"].as_bool(),
    );
    let _ = (
        value["g"].as_u64(),
        value.get("a")?.as_array()?.len(),
        value["g"].is_number(),
    );
    let map: &mut Map<String, Value> = value.as_object_mut()?;
    map.entry("h").or_insert(Value::Null);
    let _ = (
        map.remove("a"),
        map.contains_key("d"),
        map.keys().count(),
        map.iter_mut().count(),
    );
    map.retain(|_, value| !value.is_boolean());
    let _ = (
        map.values().cloned().collect::<Vec<Value>>(),
        value.to_string(),
        value.take(),
    );
    let _ = (
        Number::from_f64(0.5)?.is_f64(),
        Number::from(5u8).to_string(),
        format!("{value:#}"),
    );
    Some(())
}

fn main() {
    let user = User {
        name: "a \"b\"".to_owned(),
        ids: vec![1, 2],
        score: Some(-0.25),
        extra: BTreeMap::from([(1, (-1, 'c', true))]),
    };
    both_ways(&user).expect("they are its own");
    values().expect("they are there");
    for wrong in ["{", "[1,]", "{\"name\": 1}", "tru", "\"\\ud800\"", "1e999"] {
        let error = serde_json::from_str::<User>(wrong).expect_err("it is wrong");
        let _ = (
            error.to_string(),
            error.line(),
            error.classify(),
            error.is_eof(),
        );
    }
    let stream = serde_json::Deserializer::from_str("1 [2] {}").into_iter::<Value>();
    let _ = (stream.count(), std::io::stdin().lines().count());
}
