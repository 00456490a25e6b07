//! The managed object types that every tenant has: names and shapes are the platform's, words are ours.

use serde_json::{Map, Value, json};

/// The realms of a tenant.
pub const REALMS: [&str; 2] = ["alpha", "bravo"];

/// Builds the whole `config/managed` document of a fresh tenant.
pub fn document() -> Value {
    let objects: Vec<Value> = REALMS.iter().flat_map(|realm| of_realm(realm)).collect();
    json!({"_id": "managed", "objects": objects})
}

fn of_realm(realm: &str) -> Vec<Value> {
    vec![
        object(realm, "user", "User", &["userName", "givenName", "sn", "mail"], user(realm)),
        object(realm, "role", "Role", &["name"], role(realm)),
        object(realm, "assignment", "Assignment", &["name", "description", "mapping"], assignment(realm)),
        object(realm, "organization", "Organization", &["name"], organization(realm)),
        object(realm, "group", "Group", &["name"], group(realm)),
        object(realm, "application", "Application", &["name"], application(realm)),
        object(realm, "aiagent", "AI agent", &["name", "oauth2ClientId"], aiagent(realm)),
        object(realm, "aiagentprivilege", "AI agent privilege", &["agent"], privilege(realm)),
    ]
}

type Properties = Vec<(&'static str, Value)>;

fn object(realm: &str, kind: &str, title: &str, required: &[&str], properties: Properties) -> Value {
    let id = ("_id", text(&format!("{title} id")));
    let all: Vec<(&str, Value)> = std::iter::once(id).chain(properties).collect();
    let order: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let members: Map<String, Value> = all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({
        "name": format!("{realm}_{kind}"),
        "schema": {
            "$schema": "http://json-schema.org/draft-03/schema", "type": "object", "title": format!("{realm} {title}"),
            "icon": "fa-cube", "order": order, "required": required, "properties": members,
        },
    })
}

fn property(kind: &str, title: &str) -> Value {
    json!({"type": kind, "title": title, "viewable": true, "userEditable": true, "searchable": kind == "string"})
}

fn text(title: &str) -> Value {
    property("string", title)
}

fn texts(title: &str) -> Value {
    with(property("array", title), "items", json!({"type": "string"}))
}

fn with(mut property: Value, name: &str, value: Value) -> Value {
    if let Some(members) = property.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    property
}

fn policies(property: Value, policies: Value) -> Value {
    with(property, "policies", policies)
}

fn unique(title: &str) -> Value {
    policies(text(title), json!([{"policyId": "unique"}]))
}

/// A reference to one object of another type.
fn one(realm: &str, target: &str, title: &str, reverse: &str) -> Value {
    json!({
        "type": "relationship", "title": title, "viewable": true, "returnByDefault": false, "validate": true,
        "reverseRelationship": !reverse.is_empty(), "reversePropertyName": reverse,
        "properties": {"_ref": {"type": "string"}, "_refProperties": {"type": "object", "properties": {"_id": {"type": "string"}}}},
        "resourceCollection": [{
            "path": if target.contains('/') { target.to_owned() } else { format!("managed/{realm}_{target}") },
            "label": title, "query": {"queryFilter": "true", "fields": ["name"]},
        }],
    })
}

/// References to objects of another type.
fn many(realm: &str, target: &str, title: &str, reverse: &str) -> Value {
    json!({"type": "array", "title": title, "viewable": true, "returnByDefault": false, "items": one(realm, target, title, reverse)})
}

fn user(realm: &str) -> Properties {
    let name_policies = json!([
        {"policyId": "valid-username"},
        {"policyId": "cannot-contain-characters", "params": {"forbiddenChars": ["/"]}},
        {"policyId": "minimum-length", "params": {"minLength": 1}},
        {"policyId": "maximum-length", "params": {"maxLength": 255}},
    ]);
    let password = with(with(text("Password"), "scope", json!("private")), "isProtected", json!(true));
    let preferences = with(
        property("object", "Preferences"),
        "properties",
        json!({"updates": {"type": "boolean"}, "marketing": {"type": "boolean"}}),
    );
    let mut all = vec![
        ("userName", policies(text("User name"), name_policies)),
        ("givenName", text("Given name")),
        ("sn", text("Surname")),
        ("mail", policies(text("E-mail"), json!([{"policyId": "valid-email-address-format"}]))),
        ("cn", text("Common name")),
        ("description", text("About")),
        ("accountStatus", with(text("Account status"), "default", json!("active"))),
        ("telephoneNumber", text("Telephone")),
        ("postalAddress", text("Address")),
        ("city", text("City")),
        ("postalCode", text("Postal code")),
        ("country", text("Country")),
        ("stateProvince", text("State")),
        ("preferences", preferences),
        ("password", password),
        ("aliasList", texts("Aliases")),
        ("frIndexedString1", text("Spare indexed text 1")),
        ("frIndexedString2", text("Spare indexed text 2")),
        ("frIndexedInteger1", property("number", "Spare indexed number 1")),
        ("frIndexedMultivalued1", texts("Spare indexed list 1")),
        ("frUnindexedString1", text("Spare text 1")),
        ("frUnindexedInteger1", property("number", "Spare number 1")),
    ];
    all.extend(user_relations(realm));
    all
}

fn user_relations(realm: &str) -> Properties {
    vec![
        ("manager", one(realm, "user", "Manager", "reports")),
        ("reports", many(realm, "user", "Reports", "manager")),
        ("roles", many(realm, "role", "Provisioning roles", "members")),
        ("authzRoles", many(realm, "internal/role", "Authorization roles", "")),
        ("assignments", many(realm, "assignment", "Assignments", "members")),
        ("groups", many(realm, "group", "Groups", "members")),
        ("applications", many(realm, "application", "Applications", "members")),
        ("ownerOfApp", many(realm, "application", "Owned applications", "owners")),
        ("memberOfOrg", many(realm, "organization", "Organizations", "members")),
        ("adminOfOrg", many(realm, "organization", "Administered organizations", "admins")),
        ("ownerOfOrg", many(realm, "organization", "Owned organizations", "owners")),
    ]
}

fn role(realm: &str) -> Properties {
    vec![
        ("name", unique("Name")),
        ("description", text("Description")),
        ("condition", text("Condition")),
        ("members", many(realm, "user", "Members", "roles")),
        ("assignments", many(realm, "assignment", "Assignments", "roles")),
        ("applications", many(realm, "application", "Applications", "roles")),
    ]
}

fn assignment(realm: &str) -> Properties {
    vec![
        ("name", unique("Name")),
        ("description", text("Description")),
        ("type", text("Type")),
        ("mapping", text("Mapping")),
        ("attributes", with(property("array", "Attributes"), "items", json!({"type": "object"}))),
        ("linkQualifiers", texts("Link qualifiers")),
        ("weight", with(property("number", "Weight"), "type", json!(["number", "null"]))),
        ("members", many(realm, "user", "Members", "assignments")),
        ("roles", many(realm, "role", "Roles", "assignments")),
    ]
}

fn organization(realm: &str) -> Properties {
    vec![
        ("name", text("Name")),
        ("description", text("Description")),
        ("parent", one(realm, "organization", "Parent", "children")),
        ("children", many(realm, "organization", "Children", "parent")),
        ("members", many(realm, "user", "Members", "memberOfOrg")),
        ("admins", many(realm, "user", "Administrators", "adminOfOrg")),
        ("owners", many(realm, "user", "Owners", "ownerOfOrg")),
    ]
}

fn group(realm: &str) -> Properties {
    vec![
        ("name", unique("Name")),
        ("description", text("Description")),
        ("condition", text("Condition")),
        ("members", many(realm, "user", "Members", "groups")),
        ("aiagentprivileges", many(realm, "aiagentprivilege", "AI agent privileges", "subjectGroups")),
    ]
}

fn application(realm: &str) -> Properties {
    let sso = json!({
        "oidcId": {"type": "string"}, "idpLocation": {"type": "string"}, "spLocation": {"type": "string"},
        "idpPrivateId": {"type": "string"}, "spPrivateId": {"type": "string"}, "domain": {"type": "string"},
    });
    vec![
        ("name", unique("Name")),
        ("description", text("Description")),
        ("icon", text("Icon")),
        ("url", text("Address")),
        ("templateName", text("Template")),
        ("templateVersion", text("Template version")),
        ("connectorId", text("Connector")),
        ("authoritative", property("boolean", "Authoritative")),
        ("mappingNames", texts("Mappings")),
        ("uiConfig", property("object", "Display settings")),
        ("ssoEntities", with(property("object", "Sign-on entities"), "properties", sso)),
        ("members", many(realm, "user", "Members", "applications")),
        ("owners", many(realm, "user", "Owners", "ownerOfApp")),
        ("roles", many(realm, "role", "Roles", "applications")),
        ("aiagentprivileges", many(realm, "aiagentprivilege", "AI agent privileges", "resource")),
    ]
}

fn aiagent(realm: &str) -> Properties {
    vec![
        ("name", text("Name")),
        ("description", text("Description")),
        ("oauth2ClientId", text("Client")),
        ("customAttributes", property("object", "Own attributes")),
        ("owners", many(realm, "user", "Owners", "")),
        ("privileges", many(realm, "aiagentprivilege", "Privileges", "agent")),
    ]
}

fn privilege(realm: &str) -> Properties {
    vec![
        ("description", text("Description")),
        ("permissions", with(property("array", "Permissions"), "items", json!({"type": "object"}))),
        ("agent", one(realm, "aiagent", "Agent", "privileges")),
        ("resource", one(realm, "application", "Resource", "aiagentprivileges")),
        ("subjects", many(realm, "user", "Subjects", "")),
        ("subjectGroups", many(realm, "group", "Subject groups", "aiagentprivileges")),
    ]
}
