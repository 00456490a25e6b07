//! The redirect port: held on both loopbacks or not at all, named where it is taken, deaf to strangers.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use aic_tests::harness::{Editor, Mode, SOON, Waiting, World, eventually, follow, redirect_of};
use aic_tests::tenant::faults::{Fault, Kind, RetryAfter};
use aic_tests::tenant::switches::Canned;
use serde_json::json;

use crate::strangers::memory_of;
use crate::{builder, calls, world};

/// How many connections say nothing while somebody signs in.
const STALLED: usize = 200;

/// A world in which a call waits for the person, and the state of its sign-in.
fn waiting_world() -> (World, Editor, Waiting, String) {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    let waiting = editor.begin("getLogSources", json!({}));
    let url = eventually(SOON, "a browser opens", || world.browser.opened().pop());
    let state = calls::parameter(&url, "state");
    (world, editor, waiting, state)
}

/// The person signs in at last: the call is answered, and one code was redeemed.
fn goes_on(world: &World, waiting: Waiting) {
    world.browser.set(Mode::Follow);
    waiting.answer().succeeded();
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 1);
    assert_eq!(world.browser.opened().len(), 1);
}

/// What the listener says to a raw request, whose sender may have left off in its middle.
fn says(port: u16, request: &str, leaves_off: bool) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // a listener that has heard enough closes first
    let _ = stream.write_all(request.as_bytes());
    if leaves_off {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_stranger_with_the_right_state_is_answered_and_changes_nothing() {
    let (world, _editor, waiting, state) = waiting_world();
    let port = world.ports[0];
    let place = format!("/?code=forged&state={state}");
    let host = format!("Host: localhost:{port}\r\n");
    let get = |fields: &str| format!("GET {place} HTTP/1.1\r\n{fields}\r\n");
    let refused = [
        ("a page's script", get(&format!("{host}Origin: https://evil.example.com\r\n"))),
        ("a page without an origin", get(&format!("{host}Origin: null\r\n"))),
        ("a picture", get(&format!("{host}Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n"))),
        ("a frame", get(&format!("{host}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"))),
        ("a rebound name", get(&format!("Host: evil.example.com:{port}\r\n"))),
        ("an address for a name", get(&format!("Host: 127.0.0.1:{port}\r\n"))),
        ("a form", format!("POST {place} HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n")),
        ("another method", format!("DELETE {place} HTTP/1.1\r\n{host}\r\n")),
        ("a repeated state", format!("GET {place}&state={state} HTTP/1.1\r\n{host}\r\n")),
    ];
    let broken = [
        ("half a request", format!("GET {place} HTTP/1.1\r\nHost: local")),
        ("another protocol", "\u{16}\u{3}\u{1}\r\n\r\n".to_owned()),
        ("an endless head", format!("GET {place} HTTP/1.1\r\nX: {}", "x".repeat(100_000))),
        ("nothing", String::new()),
    ];

    for (who, request) in refused {
        let said = says(port, &request, false);
        assert!(said.starts_with("HTTP/1.1 404 "), "{who}: {said}");
        assert!(!said.contains(&state) && said.contains("default-src 'none'"), "{who}: {said}");
    }
    for (who, request) in broken {
        let said = says(port, &request, true);
        assert!(!said.starts_with("HTTP/1.1 2"), "{who}: {said}");
    }

    goes_on(&world, waiting);
}

#[test]
fn stalled_connections_keep_nobody_from_signing_in() {
    let (world, _editor, waiting, state) = waiting_world();
    let half = format!("GET /?code=forged&state={state} HTTP/1.1\r\n");
    let before = memory_of(world.broker().pid);

    let stalled: Vec<TcpStream> = (0..STALLED)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", world.ports[0])).unwrap();
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    let endless = format!("{half}X: {}", "x".repeat(32 * 1024 * 1024));
    says(world.ports[0], &endless, true);

    let grown = memory_of(world.broker().pid).saturating_sub(before);
    assert!(grown < 8 * 1024, "the broker grew by {grown} KiB");
    let began = Instant::now();
    goes_on(&world, waiting);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(stalled.len(), STALLED);
}

#[test]
fn the_last_page_loads_nothing_and_is_kept_and_told_nowhere() {
    let (world, _editor, waiting, _) = waiting_world();
    let url = world.browser.opened().pop().unwrap();
    let back = redirect_of(&url).expect("the person signs in");
    let back = url::Url::parse(&back).unwrap();
    let place = &back[url::Position::BeforePath..];

    let request = format!("GET {place} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", world.ports[0]);
    let said = says(world.ports[0], &request, false).to_ascii_lowercase();

    waiting.answer().succeeded();
    let (head, page) = said.split_once("\r\n\r\n").unwrap();
    for field in [
        "http/1.1 200",
        "content-security-policy: default-src 'none'",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "connection: close",
    ] {
        assert!(head.contains(field), "{field}: {head}");
    }
    for word in ["code=", "state=", "<script", "src=", "href=", "url("] {
        assert!(!page.contains(word), "{word}: {page}");
    }
    world.browser.set(Mode::Ignore);
}

#[test]
fn both_loopbacks_are_held_during_a_sign_in_and_only_then() {
    let (world, mut editor, waiting, _) = waiting_world();
    let places = ["127.0.0.1", "::1"].map(|address| SocketAddr::new(address.parse().unwrap(), world.ports[0]));
    let held = || places.map(|place| TcpStream::connect(place).is_ok());

    assert_eq!(held(), [true, true]);
    assert_eq!(listening_at(world.ports[0]), LOOPBACKS);
    assert!(TcpStream::connect(("127.0.0.2", world.ports[0])).is_err(), "another address of the machine");
    goes_on(&world, waiting);

    assert_eq!(held(), [false, false]);
    calls::read(&mut editor).succeeded();
    assert_eq!(held(), [false, false]);
    assert_eq!(listening_at(world.ports[0]), [""; 0]);
}

/// 127.0.0.1 and ::1 as the kernel writes them: words of four bytes, the last byte first.
const LOOPBACKS: [&str; 2] = ["0100007F", "00000000000000000000000001000000"];

/// The addresses on which anybody listens at a port.
///
/// Source: proc(5), `/proc/net/tcp`: the second word is the local address, the fourth the state, `0A` for one that listens.
fn listening_at(port: u16) -> Vec<String> {
    let tables = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default());
    let address = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (address, at) = words.next()?.split_once(':')?;
        (at == format!("{port:04X}") && words.nth(1) == Some("0A")).then(|| address.to_owned())
    };
    tables.iter().flat_map(|table| table.lines()).filter_map(address).collect()
}

#[test]
fn no_browser_opens_while_somebody_else_waits_on_one_loopback() {
    let world = world();
    let _holder = TcpListener::bind((Ipv6Addr::LOCALHOST, world.ports[0])).expect("the redirect port");

    let answer = calls::read(&mut world.hasty_editor(4));

    assert!(answer.pending().is_some_and(|pending| pending["user_code"].is_string()), "{answer}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn a_wrong_state_or_a_stray_request_does_not_end_the_sign_in() {
    let (world, _editor, waiting, state) = waiting_world();

    let wrong = "x".repeat(state.len());
    let strays = [
        "/favicon.ico".to_owned(),
        "/".to_owned(),
        format!("/?code=forged&state={wrong}"),
        format!("/elsewhere?code=forged&state={state}"),
        "/?error=access_denied".to_owned(),
    ];
    for stray in strays {
        follow(&format!("http://localhost:{}{stray}", world.ports[0])).expect("an answer");
    }

    goes_on(&world, waiting);
}

#[test]
fn a_state_opens_one_sign_in_and_a_code_is_redeemed_once() {
    let (world, mut editor, waiting, old) = waiting_world();
    goes_on(&world, waiting);
    world.run(&["logout", "--all"]).left_with(0);
    world.browser.set(Mode::Hold);
    let waiting = editor.begin("getLogSources", json!({}));
    let url = eventually(SOON, "a browser opens again", || world.browser.opened().get(1).cloned());
    let back = redirect_of(&url).expect("the person signs in");

    let (status, _) = follow(&format!("http://localhost:{}/?code=forged&state={old}", world.ports[0])).expect("a page");
    // whoever comes second finds somebody else's page or a closed port
    let twice = [(); 2].map(|()| {
        std::thread::spawn({
            let back = back.clone();
            move || follow(&back).map_or(0, |(status, _)| status)
        })
    });
    let answers = twice.map(|one| one.join().unwrap());

    waiting.answer().succeeded();
    assert_eq!(status, 404);
    assert!(answers.contains(&200), "{answers:?}");
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 2, "one for each sign-in");
    world.browser.set(Mode::Ignore);
}

#[test]
fn a_code_that_was_not_redeemed_is_not_sent_again() {
    for kind in [Kind::ResetBefore, Kind::ResetAfter, Kind::Truncated, reply(500), reply(503), reply(429)] {
        let world = world();
        let what = format!("{kind:?}");
        world.tenant().add_fault(Fault { times: 9, ..Fault::once("/access_token", kind) });

        let answer = calls::read(&mut world.editor("editor"));

        assert_eq!((answer.kind(), answer.executed()), ("login_failed", "no"), "{what}: {answer}");
        let sent = world.tenant().ledger().iter().filter(|entry| entry.path.ends_with("/access_token")).count();
        assert_eq!((sent, world.browser.opened().len()), (1, 1), "{what}");
    }
}

fn reply(status: u16) -> Kind {
    let answer = Canned { status, body: serde_json::Value::Null, content_type: None };
    Kind::Reply { answer, retry_after: Some(RetryAfter::Seconds(0)), processed: false }
}

#[test]
fn a_taken_port_leads_to_the_device_flow() {
    let world = world();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");

    let answer = calls::read(&mut world.hasty_editor(4));

    assert!(answer.pending().is_some_and(|pending| pending["user_code"].is_string()), "{answer}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn a_taken_port_without_the_device_flow_is_named_with_its_holder() {
    let world = builder().entry("login = \"browser\"").build();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");

    let answer = calls::read(&mut world.hasty_editor(4)).refused("login_failed");

    let holder = format!("(pid {})", std::process::id());
    assert!(answer.text().contains(&holder) && answer.text().contains("--paste"), "{answer}");
}

#[test]
fn a_pasted_url_signs_in_where_the_port_is_taken() {
    let world = world();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");
    world.tenant().switches().user = "person@example.com".to_owned();
    let mut login = world.begin(&["login", "--paste"]);

    let url = eventually(SOON, "the URL is shown", || calls::url_in(&login.said()));
    let back = redirect_of(&url).expect("the person signs in");
    login.type_in(&back);

    let done = login.done().left_with(0);
    assert!(done.out.contains("signed in as person@example.com"), "{done:?}");
    assert!(world.browser.opened().is_empty());
}
