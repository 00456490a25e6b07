//! Holds the catalogue to its promises: shape, size, order and selection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use serde_json::Value;

use super::*;

/// The contract's bound for the whole list as compact JSON.
const LARGEST_LISTING_BYTES: usize = 36_000;

fn listed(selection: &Selection) -> Vec<Value> {
    serde_json::from_str(&listing(selection)).unwrap()
}

fn names(selection: &Selection) -> Vec<&'static str> {
    all().filter(|tool| selection.admits(tool)).map(|tool| tool.name).collect()
}

#[test]
fn there_are_54_tools_with_unique_legal_names() {
    let unique: BTreeSet<_> = all().map(|tool| tool.name).collect();

    assert_eq!((all().count(), unique.len()), (54, 54));
    for name in unique {
        assert!((1..=128).contains(&name.len()), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)), "{name}");
    }
}

#[test]
fn the_list_says_what_the_catalogue_says() {
    let list = listed(&Selection::default());

    assert_eq!(list.len(), all().count());
    for (tool, shown) in all().zip(&list) {
        assert_eq!(shown["name"], tool.name);
        assert_eq!(shown["title"], tool.title);
        assert_eq!(shown["description"], tool.description);
        assert_eq!(shown["inputSchema"], serde_json::from_str::<Value>(tool.input).unwrap(), "{}", tool.name);
        assert_eq!(shown["annotations"]["readOnlyHint"], tool.hints.read_only);
        assert_eq!(shown["annotations"]["destructiveHint"], tool.hints.destructive);
        assert_eq!(shown["annotations"]["idempotentHint"], tool.hints.idempotent);
        assert_eq!(shown["annotations"]["openWorldHint"], tool.hints.open_world);
    }
}

#[test]
fn the_whole_list_keeps_its_size() {
    let bytes = listing(&Selection::default()).len();

    println!("tools/list: {bytes} bytes");
    assert!(bytes <= LARGEST_LISTING_BYTES, "{bytes} bytes");
}

#[test]
fn schemas_are_closed_and_plain_at_the_top() {
    for tool in all() {
        let schema: Value = serde_json::from_str(tool.input).unwrap();

        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
        assert!(schema["properties"].is_object(), "{}", tool.name);
        for refused in ["anyOf", "oneOf", "allOf", "not", "enum", "$ref"] {
            assert!(schema.get(refused).is_none(), "{} {refused}", tool.name);
        }
        assert!(!tool.input.contains("$ref") && !tool.input.contains("(?"), "{}", tool.name);
    }
}

#[test]
fn every_required_argument_is_declared() {
    for tool in all() {
        let schema: Value = serde_json::from_str(tool.input).unwrap();

        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(schema["properties"].get(name.as_str().unwrap()).is_some(), "{} {name}", tool.name);
        }
    }
}

#[test]
fn only_tools_that_send_nothing_have_no_scope() {
    let bare: Vec<_> = all().filter(|tool| tool.scopes.is_empty()).map(|tool| tool.name).collect();

    assert_eq!(bare, ["getSessionStatus", "signIn", "getThemeSchema", "getJourneyPreviewUrl"]);
}

#[test]
fn the_order_is_by_family_then_by_name() {
    let families: Vec<_> = FAMILIES.iter().map(|family| family[0].toolset).collect();
    let expected: Vec<_> = [Toolset::Session].into_iter().chain(Toolset::CHOICES).collect();

    assert_eq!(families, expected);
    for family in FAMILIES {
        assert!(family.is_sorted_by_key(|tool| tool.name), "{}", family[0].toolset.name());
        assert!(family.iter().all(|tool| tool.toolset == family[0].toolset), "{}", family[0].toolset.name());
    }
}

#[test]
fn what_deletes_or_overwrites_says_so() {
    let overwriting =
        ["createJourney", "updateJourney", "updateJourneyNode", "updateScript", "updateTheme", "setVariable"];

    for tool in all() {
        let hints = tool.hints;
        assert!(!(hints.read_only && hints.destructive), "{}", tool.name);
        let expected = tool.name.starts_with("delete") || overwriting.contains(&tool.name);
        assert!(hints.destructive || !expected, "{}", tool.name);
    }
}

#[test]
fn read_only_offers_exactly_the_reading_tools() {
    let selection = Selection { read_only: true, ..Selection::default() };

    let offered = names(&selection);

    assert!(offered.contains(&"getSessionStatus") && !offered.contains(&"signIn"));
    assert!(listed(&selection).iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    assert_eq!(offered.len(), all().filter(|tool| tool.hints.read_only).count());
}

#[test]
fn toolsets_narrow_the_list_and_keep_the_session() {
    let toolsets = Some(BTreeSet::from([Toolset::Logs]));

    let offered = names(&Selection { toolsets, ..Selection::default() });

    assert_eq!(offered, ["getSessionStatus", "signIn", "getLogSources", "queryLogs"]);
}

#[test]
fn a_container_offers_am_only_when_asked() {
    let plain = Selection { container: true, ..Selection::default() };
    let asked = Selection { toolsets: Some(BTreeSet::from([Toolset::Am])), ..plain.clone() };

    assert_eq!(names(&plain).len(), 28 + 2);
    assert!(find("getJourney").is_some_and(|tool| !plain.admits(tool) && asked.admits(tool)));
}

#[test]
fn an_empty_choice_is_still_a_list() {
    let nothing = Selection { toolsets: Some(BTreeSet::new()), ..Selection::default() };

    assert_eq!(listed(&nothing).len(), 2);
}

#[test]
fn toolset_names_are_read_back() {
    for choice in Toolset::CHOICES {
        assert_eq!(Toolset::parse(choice.name()), Some(choice));
    }
    assert_eq!(Toolset::parse("session"), None);
    assert_eq!(Toolset::parse("AM"), None);
}
