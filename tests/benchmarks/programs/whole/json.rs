//! A document parsed into values, walked through, and written again.

mod clock;

use serde_json::{json, Value};

fn document() -> String {
    let account = |i: u64| {
        json!({
            "id": i,
            "name": format!("account \"{i}\"\n"),
            "balance": i as f64 * 1.25 - 100.0,
            "open": i % 3 == 0,
            "tags": ["a", "bc", "déf", null],
            "owner": { "first": "Ada", "last": "Lovelace", "born": 1815 }
        })
    };
    let accounts: Vec<Value> = (0..400).map(account).collect();
    json!({ "accounts": accounts }).to_string()
}

fn main() {
    let text = document();
    clock::run(|| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let mut sum = 0;
        for account in value["accounts"].as_array_mut().unwrap() {
            sum += account["id"].as_u64().unwrap() + account["tags"].as_array().unwrap().len() as u64;
            account["balance"] = json!(account["balance"].as_f64().unwrap() + 1.0);
        }
        sum + serde_json::to_string(&value).unwrap().len() as u64
            + serde_json::to_vec_pretty(&value).unwrap().len() as u64
    });
}
