//! Managed objects, their types and configuration through the whole tenant.

use serde_json::{Value, json};

use crate::tenant::idm::seed::{ALPHA_USERS, id};
use crate::tenant::rehearsal::Rehearsal;

const USERS: &str = "/openidm/managed/alpha_user";

fn new_user(name: &str) -> Value {
    json!({"userName": name, "givenName": "Ada", "sn": "Example", "mail": "ada@example.com"})
}

fn user(number: usize) -> String {
    format!("{USERS}/{}", id(1, number))
}

#[test]
fn a_user_is_created_read_and_deleted() {
    let mut tenant = Rehearsal::new();

    let created = tenant.send("POST", &format!("{USERS}?_action=create"), &[], Some(new_user("ada")));
    let address = format!("{USERS}/{}", created.text("/_id"));
    let read = tenant.get(&address);
    let deleted = tenant.send("DELETE", &address, &[], None);
    let gone = tenant.get(&address);

    assert_eq!((created.status, created.changed), (201, true));
    assert_eq!(created.headers["location"], format!("http://127.0.0.1:8080{address}"));
    assert_eq!(created.headers["etag"], format!("\"{}\"", created.text("/_rev")));
    assert_eq!(read.body["accountStatus"], "active");
    assert_eq!((&read.body["city"], &read.body["aliasList"]), (&Value::Null, &json!([])));
    assert_eq!(read.body.get("password"), None);
    assert_eq!((deleted.status, deleted.text("/userName")), (200, "ada"));
    let name = address.rsplit('/').next().unwrap();
    let message = format!(
        "No Such Entry: The search base entry &#39;fr-idm-uuid&#61;{name},ou&#61;user,o&#61;alpha,o&#61;root,ou&#61;identities&#39; does not exist"
    );
    assert_eq!((gone.status, gone.message()), (404, message.as_str()));
    assert_eq!(gone.headers["content-api-version"], "protocol=2.1,resource=1.0");
}

#[test]
fn bad_users_are_refused() {
    let mut tenant = Rehearsal::new();
    let with = |name: &str, value: Value| {
        let mut user = new_user("ada");
        user[name] = value;
        user
    };
    let cases = [
        (with("sn", Value::Null), 403, "Policy validation failed"),
        (with("mail", json!("nobody")), 403, "Policy validation failed"),
        (with("userName", json!("alpha.user01")), 403, "Policy validation failed"),
        (with("shoeSize", json!(42)), 400, "Request content includes undeclared attributes: [shoeSize]"),
        (
            with("_id", json!("short")),
            400,
            "Invalid Attribute Syntax: the value &#39;short&#39; for attribute fr-idm-uuid is not a UUID",
        ),
        (json!([]), 400, "The request could not be processed because the provided content is not a JSON object"),
        (
            with("roles", json!([{"_ref": "managed/alpha_role/none"}])),
            400,
            "The referenced relationship 'managed/alpha_role/none', specified for property 'roles', does not exist",
        ),
    ];
    for (body, status, message) in cases {
        let answer = tenant.send("POST", &format!("{USERS}?_action=create"), &[], Some(body.clone()));
        assert_eq!((answer.status, answer.message(), answer.changed), (status, message, false), "{body}");
    }
}

#[test]
fn put_creates_replaces_and_guards() {
    let mut tenant = Rehearsal::new();
    let address = format!("/openidm/managed/alpha_application/{}", id(9, 1));
    let app = json!({"name": "Third", "templateName": "custom"});

    assert_eq!(tenant.send("PUT", &address, &["if-match: \"x-1\""], Some(app.clone())).status, 404);
    assert_eq!(tenant.send("PUT", &address, &["if-none-match: *"], Some(app.clone())).status, 201);
    let exists = tenant.send("PUT", &address, &["if-none-match: *"], Some(app.clone()));
    assert_eq!(exists.status, 412);
    assert!(exists.message().starts_with("Entry Already Exists: The entry &#39;fr-idm-uuid&#61;"));
    let same = tenant.send("PUT", &address, &[], Some(app.clone()));
    assert_eq!((same.status, same.headers["x-not-modified"].as_str(), same.changed), (200, "true", false));
    assert_eq!(tenant.send("PUT", &address, &["if-match: stale"], Some(app)).status, 412);
}

#[test]
fn a_patch_is_guarded_by_the_revision() {
    let mut tenant = Rehearsal::new();
    let revision = tenant.get(&user(1)).text("/_rev").to_owned();
    let patch = json!([{"operation": "replace", "field": "/city", "value": "Easttown"}]);

    let stale = tenant.send("PATCH", &user(1), &["if-match: 1-2"], Some(patch.clone()));
    let bare = tenant.send("PATCH", &user(1), &[&format!("if-match: {revision}")], Some(patch.clone()));
    let again = tenant.send("PATCH", &user(1), &["if-match: *"], Some(patch));

    assert_eq!((stale.status, stale.changed), (412, false));
    assert_eq!((bare.status, bare.text("/city")), (200, "Easttown"));
    assert_ne!(bare.text("/_rev"), revision);
    assert_eq!((again.headers["x-not-modified"].as_str(), again.text("/_rev")), ("true", bare.text("/_rev")));
}

#[test]
fn bad_patches_are_refused() {
    let mut tenant = Rehearsal::new();
    let cases = [
        (json!([{"op": "replace", "path": "/city", "value": "x"}]), 400),
        (json!([{"operation": "add", "field": "/nowhere", "value": 1}]), 400),
        (json!([{"operation": "remove", "field": "/sn"}]), 403),
        (json!([{"operation": "add", "field": "/roles", "value": {"_ref": "managed/alpha_role/x"}}]), 403),
        (
            json!([{"operation": "transform", "field": "/city", "value": {"script": {"type": "text/javascript", "source": "1"}}}]),
            501,
        ),
    ];
    for (body, status) in cases {
        let answer = tenant.send("PATCH", &user(1), &[], Some(body.clone()));
        assert_eq!(answer.status, status, "{body}");
    }
    let text = tenant.send("PATCH", &user(1), &["content-type: application/json-patch+json"], Some(json!([])));
    assert_eq!(text.status, 400);
}

#[test]
fn relationships_show_from_both_ends_and_go_whole() {
    let mut tenant = Rehearsal::new();
    let role = id(3, 2);
    let add = json!([{"operation": "add", "field": "/roles/-", "value": {"_ref": format!("managed/alpha_role/{role}"), "_refProperties": {}}}]);

    let patched = tenant.send("PATCH", &user(3), &[], Some(add));
    let plain = tenant.get(&user(3));
    let with_roles = tenant.get(&format!("{}?_fields=userName,roles/name", user(3)));
    let members = tenant.get(&format!("/openidm/managed/alpha_role/{role}/members?_queryFilter=true&_fields=userName"));
    let value = tenant.get(&format!("{}?_fields=roles", user(3))).body["roles"][0].clone();
    let removed =
        tenant.send("PATCH", &user(3), &[], Some(json!([{"operation": "remove", "field": "/roles", "value": value}])));
    let after = tenant.get(&format!("{}?_fields=roles", user(3)));

    assert_eq!(patched.status, 200);
    assert_eq!(plain.body.get("roles"), None);
    assert_eq!(with_roles.text("/roles/0/name"), "auditor");
    assert_eq!(members.text("/result/0/userName"), "alpha.user03");
    assert!(!members.text("/result/0/_refProperties/_id").is_empty());
    assert!(removed.changed);
    assert_eq!(after.body["roles"], json!([]));
}

#[test]
fn a_relationship_is_deleted_by_its_own_address() {
    let mut tenant = Rehearsal::new();
    let rows = tenant.get(&format!("{}/roles?_queryFilter=true", user(1)));
    let address = format!("{}/roles/{}", user(1), rows.text("/result/0/_id"));

    assert_eq!(tenant.send("DELETE", &address, &[], None).status, 200);
    assert_eq!(tenant.get(&format!("{}/roles?_queryFilter=true", user(1))).body["resultCount"], 0);
}

#[test]
fn queries_filter_sort_select_and_page() {
    let mut tenant = Rehearsal::new();
    let all = tenant.get(&format!("{USERS}?_queryFilter=true"));
    let some = tenant.get(&format!("{USERS}?_queryFilter=city+eq+%22Northtown%22+and+userName+sw+%27alpha.user1%27&_fields=userName,mail&_sortKeys=-userName"));
    let none = tenant.get(&format!("{USERS}?_queryFilter=unknown+eq+%22x%22"));

    assert_eq!(all.body["resultCount"], ALPHA_USERS);
    assert_eq!(all.body["totalPagedResults"], -1);
    assert_eq!(some.body["result"].as_array().unwrap().len(), 2);
    assert_eq!(some.text("/result/0/userName"), "alpha.user12");
    assert_eq!(some.body["result"][0].as_object().unwrap().len(), 4);
    assert_eq!((none.status, none.headers["content-api-version"].as_str()), (200, "protocol=2.1,resource=1.0"));
    let (mut seen, mut cookie) = (0, String::new());
    loop {
        let page = tenant
            .get(&format!("{USERS}?_queryFilter=true&_pageSize=5&_pagedResultsCookie={}", cookie.replace('=', "%3D")));
        seen += page.body["resultCount"].as_u64().unwrap();
        let Some(next) = page.body["pagedResultsCookie"].as_str() else { break };
        cookie = next.to_owned();
    }
    assert_eq!(seen, ALPHA_USERS as u64);
}

#[test]
fn bad_queries_are_refused() {
    let mut tenant = Rehearsal::new();
    let cases = [
        ("", "The request did not specify _queryFilter, _queryId or _queryExpression"),
        ("?_queryFilter=sn+ne+%22a%22", "unrecognized or unsupported filter operator 'ne'"),
        ("?_queryFilter=not+(sn+pr)", "A value could not be parsed as a valid query filter"),
        (
            "?_queryFilter=true&_pageSize=x",
            "The value 'x' for parameter '_pageSize' could not be parsed as a valid integer",
        ),
        ("?_queryFilter=true&_pagedResultsCookie=x", "Invalid paged results cookie"),
    ];
    for (query, message) in cases {
        let answer = tenant.get(&format!("{USERS}{query}"));
        assert_eq!((answer.status, answer.message()), (400, message), "{query}");
    }
    assert_eq!(tenant.get("/openidm/managed/unicorn?_queryFilter=true").status, 404);
    assert_eq!(tenant.get("/openidm/managed/svcacct/x").message(), "Access denied");
}

#[test]
fn a_new_type_works_and_a_removed_one_is_gone() {
    let mut tenant = Rehearsal::new();
    let definition = json!({"name": "gadget", "schema": {"type": "object", "required": ["label"], "properties": {"label": {"type": "string"}}}});
    let add = json!([{"operation": "add", "field": "/objects/-", "value": definition}]);

    let added = tenant.send("PATCH", "/openidm/config/managed", &["if-match: *"], Some(add.clone()));
    let made = tenant.send("POST", "/openidm/managed/gadget?_action=create", &[], Some(json!({"label": "a"})));
    let twice = tenant.send("PATCH", "/openidm/config/managed", &["if-match: *"], Some(add));
    let mut document = tenant.get("/openidm/config/managed").body;
    document["objects"].as_array_mut().unwrap().retain(|object| object["name"] != "gadget");
    let removed = tenant.send("PUT", "/openidm/config/managed", &["if-match: *"], Some(document));

    assert_eq!((added.status, made.status, twice.status, removed.status), (200, 201, 400, 200));
    assert_eq!((added.body.get("_rev"), added.headers.get("etag")), (None, None));
    assert_eq!(tenant.get("/openidm/managed/gadget?_queryFilter=true").status, 404);
}

#[test]
fn the_managed_configuration_has_no_positional_removal_and_no_predicates() {
    let mut tenant = Rehearsal::new();
    let before = tenant.get("/openidm/config/managed").body;
    let by_position = json!([{"operation": "remove", "field": "/objects/0"}]);
    let by_value = json!([{"operation": "remove", "field": "/objects", "value": before["objects"][0]}]);
    let unprefixed =
        json!([{"operation": "add", "field": "/objects/0/schema/properties/shoeSize", "value": {"type": "number"}}]);
    let beyond = json!([{"operation": "replace", "field": "/objects/99/name", "value": "x"}]);

    assert_eq!(tenant.send("PATCH", "/openidm/config/managed", &[], Some(by_position)).status, 400);
    let ignored = tenant.send("PATCH", "/openidm/config/managed", &[], Some(by_value));
    assert_eq!((ignored.status, ignored.changed), (200, false));
    let refused = tenant.send("PATCH", "/openidm/config/managed", &[], Some(unprefixed));
    assert_eq!(refused.message(), "Request content includes unprefixed attributes for alpha_user: [shoeSize]");
    assert_eq!(tenant.send("PATCH", "/openidm/config/managed", &[], Some(beyond)).status, 400);
    assert_eq!(tenant.send("PATCH", "/openidm/config/managed", &["if-match: 5"], Some(json!([]))).status, 412);
    assert_eq!(tenant.get("/openidm/config/managed").body, before);
}

#[test]
fn a_stale_read_and_a_lost_write_can_be_had() {
    let mut tenant = Rehearsal::new();
    let edit = |title: &str| json!([{"operation": "replace", "field": "/objects/0/schema/title", "value": title}]);
    let title =
        |tenant: &mut Rehearsal| tenant.get("/openidm/config/managed").text("/objects/0/schema/title").to_owned();
    let old = title(&mut tenant);

    tenant.switches.managed_stale_seconds = 3;
    tenant.send("PATCH", "/openidm/config/managed", &[], Some(edit("New")));
    assert_eq!(title(&mut tenant), old);
    tenant.pass(3);
    assert_eq!(title(&mut tenant), "New");
    tenant.switches.managed_lost_writes = 1;
    assert_eq!(tenant.send("PATCH", "/openidm/config/managed", &[], Some(edit("Lost"))).status, 200);
    assert_eq!(title(&mut tenant), "New");
}

#[test]
fn other_documents_are_written_whole() {
    let mut tenant = Rehearsal::new();
    let address = "/openidm/config/emailTemplate/farewell";

    assert_eq!(tenant.get(address).message(), "Not Found");
    let created = tenant.send("PUT", address, &[], Some(json!({"enabled": true})));
    assert_eq!(
        created.headers["location"],
        "http://127.0.0.1:8080/openidm/config/emailTemplate/emailTemplate/farewell"
    );
    assert_eq!(tenant.send("PUT", address, &[], Some(json!({"enabled": false}))).status, 200);
    let list = tenant.get("/openidm/config?_queryFilter=_id+sw+%27emailTemplate%27");
    assert_eq!((list.body["totalPagedResults"].as_i64(), list.text("/totalPagedResultsPolicy")), (Some(3), "EXACT"));
    let html = tenant.send("PUT", address, &[], Some(json!({"message": {"en": "<style>@import url(x)</style>"}})));
    assert_eq!((html.status, html.body.as_str().unwrap().starts_with("<!doctype html>")), (403, true));
    assert_eq!(tenant.send("DELETE", address, &[], None).body["enabled"], false);
}

#[test]
fn custom_properties_come_and_go() {
    let mut tenant = Rehearsal::new();
    let base = "/openidm/schema/managed/alpha_user/properties";
    let good = json!({"type": "relationship", "resourceCollection": [{"path": "managed/alpha_role", "query": {"queryFilter": "true"}}]});
    let broken = json!({"type": "relationship", "resourceCollection": [{"path": "managed/alpha_role"}]});
    let headers = ["accept-api-version: resource=2.0", "if-match: *"];

    assert_eq!(tenant.send("PUT", &format!("{base}/custom_x"), &headers, Some(good.clone())).status, 201);
    assert_eq!(tenant.send("PUT", &format!("{base}/custom_x"), &headers, Some(good)).status, 200);
    assert_eq!(tenant.send("PUT", &format!("{base}/custom_y"), &headers, Some(broken)).status, 400);
    assert_eq!(tenant.send("PUT", &format!("{base}/plain"), &headers, Some(json!({"type": "string"}))).status, 400);
    assert_eq!(tenant.send("DELETE", &format!("{base}/custom_x"), &headers, None).status, 200);
    assert_eq!(tenant.send("DELETE", &format!("{base}/custom_x"), &headers, None).status, 404);
    let schema = tenant.get("/openidm/schema/managed/alpha_user");
    assert_eq!(schema.headers["content-api-version"], "protocol=2.1,resource=2.0");
}
