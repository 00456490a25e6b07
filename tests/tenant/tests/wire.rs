//! The socket: header fields, faults, the ledger, the control path.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tenant::faults::{Fault, Kind, RetryAfter};
use crate::tenant::switches::Canned;
use crate::tenant::{Options, Tenant};

/// Longest wait of these tests for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

async fn started() -> Tenant {
    Tenant::start(Options { control: true, ..Options::default() }).await.unwrap()
}

async fn send(tenant: &Tenant, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", tenant.port())).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\nx-forgerock-transactionid: tx-1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        tenant.port(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.map_err(io::Error::other)??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn answers_have_the_part_s_header_fields() {
    let tenant = started().await;

    let answer = send(&tenant, "GET", "/openidm/config/managed", "").await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    for field in [
        "via: 1.1 google",
        "cache-control: no-store",
        "content-type: application/json;charset=utf-8",
        "x-forgerock-transactionid: tx-1",
    ] {
        assert!(answer.contains(field), "{field} in {answer}");
    }
}

#[tokio::test]
async fn the_ledger_notes_everything_but_secrets() {
    let tenant = started().await;

    send(&tenant, "PUT", "/openidm/config/x?a=b", "{\"k\":1}").await.unwrap();

    let entry = tenant.ledger().pop().unwrap();
    assert_eq!((entry.method.as_str(), entry.path.as_str(), entry.status), ("PUT", "/openidm/config/x", Some(401)));
    assert_eq!(
        (entry.query, entry.body.as_str(), entry.changed),
        (vec![("a".to_owned(), "b".to_owned())], "{\"k\":1}", false)
    );
    assert!(entry.answered.unwrap() >= entry.arrived);
}

#[tokio::test]
async fn faults_break_the_connection_as_they_say() {
    let tenant = started().await;
    let info = "/environment/info";
    let get = || send(&tenant, "GET", info, "");

    tenant.add_fault(Fault::once(info, Kind::ResetBefore));
    assert_eq!(get().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    tenant.add_fault(Fault::once(info, Kind::ResetAfter));
    assert_eq!(get().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    tenant.add_fault(Fault::once(info, Kind::Truncated));
    let truncated = get().await.unwrap();
    assert!(truncated.contains("\r\n\r\n{") && !truncated.ends_with('}'), "{truncated}");
    tenant.add_fault(Fault::once(info, Kind::Slow { milliseconds: 1 }));
    assert!(get().await.unwrap().ends_with('}'));
    tenant.add_fault(Fault::once(info, Kind::Huge { bytes: 200_000 }));
    assert!(get().await.unwrap().len() > 200_000);
    tenant.add_fault(Fault::once(info, Kind::Hang));
    assert!(tokio::time::timeout(Duration::from_millis(100), get()).await.is_err());
    let statuses: Vec<Option<u16>> = tenant.ledger().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [None, None, Some(401), Some(401), Some(401), None]);
}

#[tokio::test]
async fn a_canned_answer_says_when_to_come_back() {
    let tenant = started().await;
    let answer = Canned { status: 503, body: json!("<html>later</html>"), content_type: Some("text/html".to_owned()) };
    let kind = Kind::Reply { answer, retry_after: Some(RetryAfter::Seconds(7)), processed: false };
    tenant.add_fault(Fault::once("/environment", kind));

    let answer = send(&tenant, "GET", "/environment/info", "").await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("retry-after: 7")
            && answer.contains("content-type: text/html")
            && answer.ends_with("<html>later</html>")
    );
}

#[tokio::test]
async fn the_control_path_sets_and_shows() {
    let tenant = started().await;
    let fault = "{\"path\":\"/environment/info\",\"kind\":{\"reply\":{\"answer\":{\"status\":404}}}}";

    assert!(send(&tenant, "POST", "/__sandbox/switches", "{\"auto_login\":true}").await.unwrap().contains(" 200 "));
    assert!(send(&tenant, "POST", "/__sandbox/switches", "{\"nonsense\":true}").await.unwrap().contains(" 400 "));
    assert!(send(&tenant, "POST", "/__sandbox/faults", fault).await.unwrap().contains(" 200 "));
    assert!(send(&tenant, "POST", "/__sandbox/kill-primary", "").await.unwrap().contains(" 200 "));
    assert!(send(&tenant, "POST", "/__sandbox/kill-scoped", "").await.unwrap().contains(" 200 "));
    assert!(send(&tenant, "POST", "/__sandbox/approve-devices", "").await.unwrap().contains(" 200 "));
    assert!(send(&tenant, "GET", "/environment/info", "").await.unwrap().contains(" 404 "));
    let ledger = send(&tenant, "GET", "/__sandbox/ledger", "").await.unwrap();
    let entries: Value = serde_json::from_str(ledger.split("\r\n\r\n").nth(1).unwrap()).unwrap();

    assert!(tenant.switches().auto_login);
    assert_eq!((entries.as_array().unwrap().len(), entries[0]["status"].as_u64()), (1, Some(404)));
}

#[tokio::test]
async fn a_dropped_tenant_stops() {
    let tenant = started().await;
    let port = tenant.port();
    drop(tenant);
    tokio::task::yield_now().await;

    let refused = tokio::time::timeout(PATIENCE, async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });

    assert!(refused.await.is_ok());
}
