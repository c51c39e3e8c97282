//! The JSON Schema of a project file (draft 2020-12), made from the table of keys: editors complete and check with it what is read here.

use serde_json::{Value as Json, json};

use super::{
    element::{About, Element as _, interpreters::Interpreters, keyed, variables::Variables},
    keys::AppKeys,
};

/// The schema.
pub fn schema() -> Json {
    let table: Vec<About> = AppKeys::KEYS.iter().map(|key| key.about).collect();
    let script: Vec<&str> = table.iter().filter(|about| about.name == "script").flat_map(About::names).collect();
    let runs: Vec<Json> = script.iter().map(|name| json!({ "required": [name] })).collect();
    let apps = json!({ "anyOf": [{ "$ref": "#/$defs/app" }, { "type": "array", "items": { "$ref": "#/$defs/app" } }] });
    let overrides =
        json!({ "type": "object", "properties": keyed::properties(&table), "patternProperties": { "^env_": Variables::schema() } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pmdev project file",
        "anyOf": [
            { "type": "array", "items": { "$ref": "#/$defs/app" } },
            { "$ref": "#/$defs/app" },
            {
                "type": "object",
                "properties": {
                    "$schema": { "type": "string" },
                    "apps": apps,
                    "pm2": apps,
                    "interpreters": Interpreters::schema(),
                    "deploy": {},
                    "static": {},
                },
                "anyOf": [{ "required": ["apps"] }, { "required": ["pm2"] }],
            },
        ],
        "$defs": {
            "overrides": overrides,
            "app": { "$ref": "#/$defs/overrides", "anyOf": runs },
        },
    })
}
