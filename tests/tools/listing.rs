//! What an MCP client sees of the tools.

use aic_tests::harness::{Asked, Era};
use serde_json::{Value, json};

use super::{samples, world};

fn tools(era: Era, arguments: &[&str]) -> Vec<Value> {
    let world = world();
    let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    let mut editor = world.editor_as(Asked { era, arguments, ..Asked::default() });
    let answer = editor.request("tools/list", json!({}));
    assert!(world.brokers().is_empty(), "a list starts nothing");
    answer.result()["tools"].as_array().unwrap().clone()
}

#[test]
fn every_tool_has_a_title_four_hints_and_a_strict_valid_schema() {
    for tool in tools(Era::Initialize, &[]) {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{name}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name} {hint}");
        }
        assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        let mut schema = tool["inputSchema"].clone();
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
    }
}

#[test]
fn both_eras_list_the_same_and_the_whole_list_is_small() {
    let (old, new) = (tools(Era::Initialize, &[]), tools(Era::Discover, &[]));

    assert_eq!(old, new);
    assert_eq!(old.len(), 54);
    assert!(Value::Array(old).to_string().len() <= 36_000);
}

#[test]
fn tool_sets_and_read_only_cut_the_list() {
    let logs = tools(Era::Initialize, &["--toolsets", "logs"]);
    let reading = tools(Era::Initialize, &["--read-only"]);

    assert_eq!(logs.len(), 4);
    assert!(reading.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
}

#[test]
fn there_is_a_sample_for_every_tool_that_sends_anything() {
    let silent = ["signIn", "getSessionStatus", "getThemeSchema", "getJourneyPreviewUrl"];
    let listed = tools(Era::Initialize, &[]);
    let names: Vec<&str> = listed.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let sampled: Vec<&str> = samples::all().iter().map(|sample| sample.tool).collect();

    for name in &names {
        assert_eq!(sampled.contains(name), !silent.contains(name), "{name}");
    }
    for sample in samples::all() {
        let tool = listed.iter().find(|tool| tool["name"] == sample.tool).unwrap();
        assert!(jsonschema::is_valid(&tool["inputSchema"], &sample.arguments), "{}", sample.tool);
    }
}

#[test]
fn a_wrong_argument_is_named_and_nothing_is_sent() {
    let world = world();
    let mut editor = world.editor("editor");
    let mut wrong = Vec::new();

    for sample in samples::all() {
        for (name, arguments) in spoiled(&sample) {
            world.tenant().clear_ledger();
            let answer = editor.call(sample.tool, arguments);
            let named = answer.kind() == "invalid_arguments" && answer.text().contains(&name);
            if !named || !world.tenant().ledger().is_empty() {
                wrong.push(format!("{} {name}: {}", sample.tool, answer.text()));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A sample's arguments, each time with one that is unknown, missing or of another type.
fn spoiled(sample: &samples::Sample) -> Vec<(String, Value)> {
    let with = |name: &str, value: Value| {
        let mut arguments = sample.arguments.clone();
        arguments[name] = value;
        (name.to_owned(), arguments)
    };
    let mut all = vec![with("surprise", json!(1))];
    for (name, value) in sample.arguments.as_object().unwrap() {
        let takes_anything = sample.tool == "setVariable" && name == "value";
        if !takes_anything {
            all.push(with(name, if value.is_object() { json!("text") } else { json!({"of": ["another", "type"]}) }));
        }
    }
    all
}
