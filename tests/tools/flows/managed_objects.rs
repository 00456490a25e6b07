//! Managed objects and the definitions of their types.

use serde_json::{Value, json};

use super::Flow;

/// A relationship of a user to a user, as the schema API wants it.
fn sponsor(title: &str) -> Value {
    json!({
        "type": "relationship", "title": title, "viewable": true, "searchable": false, "userEditable": false,
        "reverseRelationship": false, "validate": true, "properties": {"_ref": {"type": "string"}},
        "resourceCollection": [{
            "path": "managed/alpha_user", "label": "User",
            "query": {"queryFilter": "true", "fields": ["userName"], "sortKeys": ["userName"]},
        }],
    })
}

/// A type of the tenant's own, for things that the platform knows nothing of.
fn device() -> Value {
    json!({"schema": {
        "$schema": "http://json-schema.org/draft-03/schema", "type": "object", "title": "Device",
        "order": ["serial"], "required": ["serial"],
        "properties": {"serial": {"type": "string", "title": "Serial number", "searchable": true}},
    }})
}

#[test]
fn a_managed_object_is_created_read_patched_and_deleted() {
    let mut flow = Flow::begin();
    let person = json!({"userName": "ada", "givenName": "Ada", "sn": "Example", "mail": "ada@example.com"});

    let created = flow.done("createManagedObject", json!({"objectType": "alpha_user", "objectData": person}));
    let one = json!({"objectType": "alpha_user", "objectId": created["_id"]});
    let read = flow.done("getManagedObject", one.clone());
    assert_eq!((&read["userName"], &read["_rev"]), (&json!("ada"), &created["_rev"]));

    let change = |revision: &Value, name: &str| {
        let operations = json!([{"operation": "replace", "field": "/sn", "value": name}]);
        json!({"objectType": "alpha_user", "objectId": created["_id"], "revision": revision, "operations": operations})
    };
    let patched = flow.done("patchManagedObject", change(&read["_rev"], "Lovelace"));
    let again = flow.done("getManagedObject", one.clone());
    assert_eq!((&again["sn"], &again["_rev"]), (&json!("Lovelace"), &patched["_rev"]));
    assert_ne!(patched["_rev"], read["_rev"]);

    flow.refused("patchManagedObject", change(&read["_rev"], "Late"), "conflict");
    assert_eq!(flow.done("getManagedObject", one.clone())["sn"], "Lovelace");

    flow.done("deleteManagedObject", one.clone());
    flow.refused("getManagedObject", one, "not_found");
}

#[test]
fn managed_objects_are_filtered_sorted_and_paged_to_the_end() {
    let mut flow = Flow::begin();
    let mut question = json!({"objectType": "alpha_user", "queryFilter": "city eq \"Northtown\"", "pageSize": 4,
        "sortKeys": "-userName", "fields": "userName"});

    let first = flow.done("queryManagedObjects", question.clone());
    question["pagedResultsCookie"] = first["pagedResultsCookie"].clone();
    let second = flow.done("queryManagedObjects", question);

    let names: Vec<&str> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["result"].as_array().unwrap())
        .map(|row| row["userName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alpha.user12", "alpha.user10", "alpha.user08", "alpha.user06", "alpha.user04", "alpha.user02"]);
    assert!(second["pagedResultsCookie"].is_null(), "{second}");
    assert!(first["result"][0].get("mail").is_none(), "{first}");
}

#[test]
fn an_object_against_the_policies_is_denied_and_names_the_property() {
    let mut flow = Flow::begin();
    let person = json!({"userName": "eve", "givenName": "Eve", "sn": "Example", "mail": "no address"});
    let count = |flow: &Flow| flow.world.tenant().with(|state| state.directory.objects["alpha_user"].len());
    let before = count(&flow);

    let answer =
        flow.refused("createManagedObject", json!({"objectType": "alpha_user", "objectData": person}), "denied");

    assert!(answer.message.to_string().contains("VALID_EMAIL_ADDRESS_FORMAT"), "{answer}");
    assert_eq!(count(&flow), before);
}

#[test]
fn a_type_is_created_patched_used_and_deleted() {
    let mut flow = Flow::begin();
    let of_type = json!({"objectType": "alpha_device"});

    flow.done("createManagedObjectDefinition", json!({"objectName": "alpha_device", "objectDefinition": device()}));
    let twice = json!({"objectName": "alpha_device", "objectDefinition": device()});
    flow.refused("createManagedObjectDefinition", twice, "conflict");
    let operations = json!([
        {"operation": "add", "field": "/schema/properties/colour", "value": {"type": "string", "title": "Colour"}},
        {"operation": "add", "field": "/schema/order/-", "value": "colour"},
    ]);
    let patched =
        flow.done("patchManagedObjectDefinition", json!({"objectName": "alpha_device", "operations": operations}));
    assert_eq!(patched["definition"]["schema"]["order"], json!(["serial", "colour"]));

    let listed = flow.done("listManagedObjects", json!({}));
    let names = listed["managedObjectTypes"].as_array().unwrap();
    assert!(names.contains(&json!("alpha_device")) && names.contains(&json!("bravo_user")), "{listed}");
    let schema = flow.done("getManagedObjectSchema", of_type.clone());
    assert_eq!((&schema["required"], &schema["properties"]["colour"]["title"]), (&json!(["serial"]), &json!("Colour")));
    let record = json!({"objectType": "alpha_device", "objectData": {"serial": "1", "colour": "red"}});
    let record = flow.done("createManagedObject", record);
    let read = flow.done("getManagedObject", json!({"objectType": "alpha_device", "objectId": record["_id"]}));
    assert_eq!(read["colour"], "red");

    let before = flow.world.tenant().with(|state| state.directory.document());
    let removed = flow.done("deleteManagedObjectDefinition", json!({"objectName": "alpha_device"}));
    assert_eq!(removed["removedDefinition"]["name"], "alpha_device");
    flow.refused("getManagedObjectSchema", of_type, "not_found");
    let after = flow.world.tenant().with(|state| state.directory.document());
    let (before, after) = (before["objects"].as_array().unwrap(), after["objects"].as_array().unwrap());
    assert_eq!(before[..before.len() - 1], after[..], "the other types are as they were");
}

#[test]
fn a_custom_relationship_is_added_updated_and_removed() {
    let mut flow = Flow::begin();
    let ask = |action: &str, name: &str, definition: Option<Value>| {
        let mut arguments = json!({"objectType": "alpha_user", "propertyName": name, "action": action});
        if let Some(definition) = definition {
            arguments["propertyDefinition"] = definition;
        }
        arguments
    };
    let stored = |flow: &mut Flow| {
        flow.done("getManagedObjectSchema", json!({"objectType": "alpha_user"}))["properties"]["custom_sponsor"].clone()
    };

    flow.done("patchManagedObjectRelationship", ask("add", "custom_sponsor", Some(sponsor("Sponsor"))));
    assert_eq!(stored(&mut flow), sponsor("Sponsor"));
    flow.done("patchManagedObjectRelationship", ask("update", "custom_sponsor", Some(sponsor("Patron"))));
    assert_eq!(stored(&mut flow)["title"], "Patron");
    flow.refused_unsent("patchManagedObjectRelationship", ask("remove", "manager", None), "invalid_arguments");
    flow.refused_unsent("patchManagedObjectRelationship", ask("add", "custom_other", None), "invalid_arguments");
    flow.done("patchManagedObjectRelationship", ask("remove", "custom_sponsor", None));
    assert!(stored(&mut flow).is_null());
}

#[test]
fn a_patch_of_a_type_leaves_relationships_and_names_alone() {
    let mut flow = Flow::begin();
    let before = flow.world.tenant().with(|state| state.directory.document());
    let patch = |operation: &str, field: &str, value: Value| {
        let operations = json!([{"operation": operation, "field": field, "value": value}]);
        json!({"objectName": "alpha_user", "operations": operations})
    };

    flow.refused("patchManagedObjectDefinition", patch("replace", "/name", json!("person")), "not_allowed");
    flow.refused(
        "patchManagedObjectDefinition",
        patch("replace", "/schema/properties/manager/title", json!("Boss")),
        "not_allowed",
    );
    flow.refused("deleteManagedObjectDefinition", json!({"objectName": "alpha_role"}), "conflict");

    assert_eq!(flow.world.tenant().with(|state| state.directory.document()), before);
}
