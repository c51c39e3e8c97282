//! What is written down about keys is what is read.

use serde_json::{Value as Json, json};

use super::super::{element::Fate, keys::AppKeys, reference, schema};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");

#[test]
fn the_reference_is_that_of_the_table() {
    let wanted = reference::markdown();
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(written == wanted, "docs/config.md is stale: cargo run -- schema --markdown > docs/config.md");
    for key in AppKeys::KEYS {
        assert!(wanted.contains(&format!("`{}`", key.about.name)), "{}", key.about.name);
        if let Fate::Ignored(why) = key.about.fate {
            assert!(wanted.contains(why));
        }
    }
}

/// Checks a value by the part of JSON Schema that ours is written in; any other word is a mistake in ours.
fn valid(schema: &Json, value: &Json, root: &Json) -> bool {
    let Json::Object(rules) = schema else { return schema == &json!(true) };
    rules.iter().all(|(rule, wanted)| match rule.as_str() {
        "$schema" | "$defs" | "title" | "description" | "examples" | "deprecated" => true,
        "$ref" => valid(root.pointer(wanted.as_str().unwrap().trim_start_matches('#')).unwrap(), value, root),
        "anyOf" => wanted.as_array().unwrap().iter().any(|schema| valid(schema, value, root)),
        "const" => value == wanted,
        "enum" => wanted.as_array().unwrap().contains(value),
        "type" => {
            let is = |name: &Json| match name.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                "null" => value.is_null(),
                other => panic!("{other} is no type"),
            };
            wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is))
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
        "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= wanted.as_u64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| regex::Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text)),
        "items" => value.as_array().is_none_or(|list| list.iter().all(|item| valid(wanted, item, root))),
        "required" => {
            value.as_object().is_none_or(|map| wanted.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap())))
        }
        "additionalProperties" => value.as_object().is_none_or(|map| map.values().all(|value| valid(wanted, value, root))),
        "properties" => value
            .as_object()
            .is_none_or(|map| map.iter().all(|(key, value)| wanted.get(key).is_none_or(|schema| valid(schema, value, root)))),
        "patternProperties" => value.as_object().is_none_or(|map| {
            let Some(variables) = wanted.get("^env_(?!files?$)") else { panic!("{wanted} has another pattern") };
            map.iter()
                .filter(|(key, _)| key.starts_with("env_") && !key.starts_with("env_file"))
                .all(|(_, value)| valid(variables, value, root))
        }),
        other => panic!("{other} is no word that this test knows"),
    })
}

#[test]
fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
    let schema = schema::schema();
    let app = |key: &str, value: Json| json!({ "apps": [{ "script": "a.js", key: value }] });
    for key in AppKeys::KEYS {
        let example: Json = serde_json::from_str(key.about.example).unwrap();
        for name in key.about.names() {
            assert!(valid(&schema, &app(name, example.clone()), &schema), "{name}: {example}");
        }
    }
    for file in
        [json!([{ "cmd": "a" }]), json!({ "exec": "a", "env_production": { "A": 1 } }), json!({ "pm2": { "script": "a" }, "deploy": {} })]
    {
        assert!(valid(&schema, &file, &schema), "{file}");
    }
    for (key, value) in [
        ("watch", json!(3)),
        ("instances", json!("many")),
        ("max_memory_restart", json!("lots")),
        ("autorestart", json!("yes")),
        ("killTimeout", json!("soon")),
        ("env_production", json!(3)),
        ("depends_on", json!({ "db": "up" })),
        ("profiles", json!({ "prod": { "port": 70000 } })),
    ] {
        assert!(!valid(&schema, &app(key, value.clone()), &schema), "{key}: {value}");
    }
    assert!(!valid(&schema, &json!({ "apps": [{ "name": "api" }] }), &schema));
}
