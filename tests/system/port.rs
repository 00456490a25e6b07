//! The redirect port: held on both loopbacks or not at all, named where it is taken, deaf to strangers.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use aic_tests::harness::{Editor, Mode, SOON, Waiting, World, eventually, follow, redirect_of};
use serde_json::json;

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

    let stalled: Vec<TcpStream> = (0..STALLED)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", world.ports[0])).unwrap();
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();

    goes_on(&world, waiting);
    assert_eq!(stalled.len(), STALLED);
}

#[test]
fn both_loopbacks_are_held_during_a_sign_in_and_only_then() {
    let (world, mut editor, waiting, _) = waiting_world();
    let places = ["127.0.0.1", "::1"].map(|address| SocketAddr::new(address.parse().unwrap(), world.ports[0]));
    let held = || places.map(|place| TcpStream::connect(place).is_ok());

    assert_eq!(held(), [true, true]);
    goes_on(&world, waiting);

    assert_eq!(held(), [false, false]);
    calls::read(&mut editor).succeeded();
    assert_eq!(held(), [false, false]);
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
