//! Each tool does what it says: the sandbox tenant has the effect, the answer has its form.

mod journeys;
mod managed_objects;
mod scripts_and_applications;
mod small_families;

use aic_tests::harness::{Answer, Editor, World};
use serde_json::{Value, json};

use super::world;

/// The sources of all flows, for the test that no tool is left out.
const SOURCES: [&str; 4] = [
    include_str!("flows/journeys.rs"),
    include_str!("flows/managed_objects.rs"),
    include_str!("flows/scripts_and_applications.rs"),
    include_str!("flows/small_families.rs"),
];

/// One editor in a world of its own.
struct Flow {
    world: World,
    editor: Editor,
}

impl Flow {
    fn begin() -> Self {
        let world = world();
        let editor = world.editor("editor");
        Self { world, editor }
    }

    /// How many API requests the tenant has seen.
    fn sent(&self) -> usize {
        self.world.tenant().ledger().iter().filter(|entry| entry.is_api()).count()
    }

    /// Calls a tool that must succeed, checks the form of its answer and gives the data.
    #[track_caller]
    fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let before = self.sent();
        let answer = self.editor.call(tool, arguments).succeeded();
        assert!(answer.structured().is_object(), "{tool} gives no object: {answer}");
        assert!(answer.structured().get("error").is_none(), "{tool}: {answer}");
        assert!(!answer.text().is_empty(), "{tool} says nothing: {answer}");
        if self.sent() > before {
            assert!(answer.transaction_id().is_some(), "{tool} gives no transaction id: {answer}");
        }
        answer.structured().clone()
    }

    /// Calls a tool that must be refused with nothing executed.
    #[track_caller]
    fn refused(&mut self, tool: &str, arguments: Value, kind: &str) -> Answer {
        self.editor.call(tool, arguments).refused(kind)
    }

    /// Calls a tool that must be refused before anything is sent.
    #[track_caller]
    fn refused_unsent(&mut self, tool: &str, arguments: Value, kind: &str) -> Answer {
        let before = self.sent();
        let answer = self.refused(tool, arguments, kind);
        assert_eq!(self.sent(), before, "{tool} sent something: {answer}");
        answer
    }
}

/// The member of a list whose `_id` or `name` is that.
#[track_caller]
pub(super) fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let found = items.iter().find(|item| item["_id"] == name || item["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

/// Whether a list has a member whose `_id` or `name` is that.
fn has(list: &Value, name: &str) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(|item| item["_id"] == name || item["name"] == name))
}

#[test]
fn every_tool_has_a_flow_in_which_it_succeeds() {
    let listed = world().editor("editor").request("tools/list", json!({}));
    let names = listed.result()["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap());

    let missing: Vec<&str> =
        names.filter(|name| !SOURCES.iter().any(|source| source.contains(&format!("done(\"{name}\"")))).collect();

    assert!(missing.is_empty(), "{missing:?}");
}
