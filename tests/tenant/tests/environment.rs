//! ESVs, restart and logs through the whole tenant.

use serde_json::{Value, json};

use crate::tenant::logs::seed::TRANSACTION;
use crate::tenant::rehearsal::Rehearsal;
use crate::tenant::times::rfc3339;

const VARIABLES: &str = "/environment/variables";
const V2: &[&str] = &["accept-api-version: resource=2.0"];

fn body(kind: &str, value: &str) -> Value {
    json!({"_id": "esv-x", "description": "", "expressionType": kind, "valueBase64": value})
}

#[test]
fn a_variable_is_always_answered_with_200_and_waits_for_a_restart() {
    let mut tenant = Rehearsal::new();
    let address = format!("{VARIABLES}/esv-new");

    let created = tenant.send("PUT", &address, V2, Some(body("string", "YQ==")));
    let updated = tenant.send("PUT", &address, V2, Some(body("string", "Yg==")));
    let restart = tenant.send("POST", "/environment/startup?_action=restart", &[], None);
    tenant.pass(2);

    assert_eq!((created.status, updated.status), (200, 200));
    assert_eq!(updated.body["loaded"], false);
    assert_eq!(restart.text("/restartStatus"), "restarting");
    assert_eq!(tenant.get("/environment/startup").text("/restartStatus"), "ready");
    assert_eq!(tenant.get(&address).body["loaded"], true);
    assert_eq!(tenant.get("/environment/count").body, json!({"secrets": 2, "variables": 6}));
    assert_eq!(tenant.send("DELETE", &address, V2, None).status, 200);
    assert_eq!(tenant.get(&address).body, json!({"code": 404, "message": "The variable does not exist"}));
}

#[test]
fn bad_variables_are_refused() {
    let mut tenant = Rehearsal::new();
    let put = |tenant: &mut Rehearsal, id: &str, body: Value| {
        tenant.send("PUT", &format!("{VARIABLES}/{id}"), V2, Some(body))
    };
    let cases = [
        (
            "esv-y",
            json!({"valueBase64": "YQ=="}),
            "Variable type required; expressionType cannot be empty when creating new variables",
        ),
        ("esv-greeting", body("int", "MQ=="), "Changing the type of an existing variable is not permitted"),
        ("esv-y", body("string", "?"), "The value is not valid base64"),
    ];
    for (id, body, message) in cases {
        let answer = put(&mut tenant, id, body);
        assert_eq!((answer.status, answer.message(), answer.body.get("reason")), (400, message, None));
    }
    assert!(put(&mut tenant, "esv-y", body("unknown", "YQ==")).message().ends_with("\"keyvaluelist\"]"));
    assert!(put(&mut tenant, "ESV-Y", body("string", "YQ==")).message().contains("regular expression"));
    assert!(put(&mut tenant, "esv-y", json!({"expressionType": "string"})).message().contains("valueBase64"));
    assert_eq!(put(&mut tenant, "esv-greeting", json!({"valueBase64": "YQ=="})).status, 200, "the type stays");
}

#[test]
fn lists_follow_their_version() {
    let mut tenant = Rehearsal::new();
    let first = tenant.get(VARIABLES);
    let second = tenant.send("GET", &format!("{VARIABLES}?_queryFilter=%2F_id+co+%22li%22&_pageSize=50"), V2, None);
    let too_many = tenant.send("GET", &format!("{VARIABLES}?_pageSize=101"), V2, None);

    assert!(first.body["result"][0].get("valueBase64").is_some());
    assert_eq!((second.body["resultCount"].as_u64(), second.text("/result/0/_id")), (Some(1), "esv-limit"));
    assert_eq!(second.body["result"][0].get("valueBase64"), None);
    assert_eq!(too_many.message(), "parameter \"_pageSize\" in query has an error: number must be at most 100");
    tenant.switches.esv_version_1_refused = true;
    assert_eq!(tenant.get(VARIABLES).status, 400);
}

#[test]
fn a_secret_goes_in_and_never_comes_out() {
    let mut tenant = Rehearsal::new();
    let address = "/environment/secrets/esv-s";
    let secret = |encoding: &str| json!({"valueBase64": "YQ==", "encoding": encoding, "description": "", "useInPlaceholders": true});

    let bad = tenant.send("PUT", address, &[], Some(secret("unknown")));
    let created = tenant.send("PUT", address, &[], Some(secret("generic")));
    let again = tenant.send("PUT", address, &[], Some(secret("generic")));
    let version =
        tenant.send("POST", &format!("{address}/versions?_action=create"), &[], Some(json!({"valueBase64": "Yg=="})));
    let versions = tenant.get(&format!("{address}/versions"));
    let newest = tenant.send(
        "POST",
        &format!("{address}/versions/2?_action=changestatus"),
        &[],
        Some(json!({"status": "DISABLED"})),
    );

    assert_eq!((bad.status, bad.body["code"].as_u64()), (422, Some(606)));
    assert_eq!((created.status, created.body.get("valueBase64")), (200, None));
    assert_eq!(again.message(), "Failed to create secret, the secret already exists");
    assert_eq!(version.text("/version"), "2");
    assert_eq!((versions.text("/0/version"), versions.text("/1/version")), ("2", "1"));
    assert_eq!(newest.message(), "Cannot disable latest secret version");
}

#[test]
fn unknown_environment_paths_are_named() {
    let mut tenant = Rehearsal::new();

    assert_eq!(
        tenant.get("/environment/ccc/apply").body,
        json!({"code": 404, "message": "path /environment/ccc/apply was not found"})
    );
}

#[test]
fn logs_are_queried_by_source_time_and_transaction() {
    let mut tenant = Rehearsal::new();
    let logs = |tenant: &mut Rehearsal, query: &str| tenant.get(&format!("/monitoring/logs?{query}"));
    let (begin, end) = (rfc3339(tenant.now - std::time::Duration::from_secs(3600)), rfc3339(tenant.now));

    let sources = tenant.get("/monitoring/logs/sources");
    let hour = logs(&mut tenant, &format!("source=am-everything,idm-access&beginTime={begin}&endTime={end}"));
    let transaction =
        logs(&mut tenant, &format!("source=am-access,idm-access&transactionId={TRANSACTION}&_pageSize=10"));
    let filtered = logs(
        &mut tenant,
        "source=am-authentication&_queryFilter=%2Fpayload%2FeventName+eq+%22AM-LOGIN-COMPLETED%22&_pageSize=3",
    );

    assert_eq!((sources.body["resultCount"].as_u64(), sources.headers["x-ratelimit-limit"].as_str()), (Some(14), "60"));
    assert_eq!(hour.body["resultCount"], 9);
    assert_eq!(
        (transaction.body["resultCount"].as_u64(), transaction.body["pagedResultsCookie"].is_string()),
        (Some(10), true)
    );
    assert_eq!(
        (filtered.body["resultCount"].as_u64(), filtered.text("/result/0/source")),
        (Some(3), "am-authentication")
    );
}

#[test]
fn bad_log_queries_are_refused() {
    let mut tenant = Rehearsal::new();
    let cases = [
        ("", 400),
        ("source=nowhere", 400),
        ("source=am-access&beginTime=yesterday", 400),
        ("source=am-access&beginTime=2026-01-01T00:00:00Z&endTime=2026-01-03T00:00:00Z", 400),
        ("source=am-access&beginTime=2026-01-02T00:00:00Z&endTime=2026-01-01T00:00:00Z", 400),
        ("source=am-access&_pageSize=1001", 400),
        ("source=am-access&_queryFilter=payload%2FeventName+eq+%22x%22", 500),
    ];
    for (query, status) in cases {
        assert_eq!(tenant.get(&format!("/monitoring/logs?{query}")).status, status, "{query}");
    }
}

#[test]
fn too_many_log_requests_are_told_when_to_come_back() {
    let mut tenant = Rehearsal::new();
    tenant.switches.logs_per_minute = 1;

    assert_eq!(tenant.get("/monitoring/logs/sources").status, 200);
    let refused = tenant.get("/monitoring/logs/sources");

    assert_eq!(refused.status, 429);
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() <= 60);
}
