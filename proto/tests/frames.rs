//! Saved frames of every released protocol version still decode, and bad frames are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;

use aic_proto::frame::{self, Error, Frame, HELLO_LIMIT, REPLY_LIMIT, REQUEST_LIMIT};
use aic_proto::hello::{Hello, Reply, Role, ShimHello, TurnedAway, Welcome};
use aic_proto::message::*;
use aic_proto::refusal::{Executed, Failure, Kind};

fn pending(shown: Shown) -> Pending {
    Pending {
        flow: "00112233445566778899aabbccddeeff".to_owned(),
        tenant: "acme-dev".to_owned(),
        host: "openam-acme-dev.id.forgerock.io".to_owned(),
        shown,
        expires_at: "2026-11-24T12:00:00Z".to_owned(),
        expires_in: 300,
        note: Some("port 3000 is used by another program".to_owned()),
    }
}

fn browser() -> Pending {
    pending(Shown::Browser {
        url: "https://openam-acme-dev.id.forgerock.io/am/oauth2/authorize".to_owned(),
        opened: true,
    })
}

fn device() -> Pending {
    pending(Shown::Device { uri: "https://x/device".to_owned(), uri_complete: None, user_code: "ABCD-EFGH".to_owned() })
}

fn failure() -> Failure {
    Failure {
        kind: Kind::Conflict,
        message: "the tenant answered 412".to_owned(),
        hint: Some("read it again".to_owned()),
        status: Some(412),
        transaction_id: Some("t-1".to_owned()),
        executed: Executed::No,
    }
}

fn requests() -> Vec<(&'static str, ToBroker)> {
    let text = str::to_owned;
    vec![
        (
            "call",
            ToBroker::Call(Call { id: 1, tool: text("getManagedObject"), arguments: text("{}"), within_ms: 55_000 }),
        ),
        ("cancel", ToBroker::Cancel(Cancel { id: 1 })),
        ("sign_in", ToBroker::SignIn(SignIn { id: 2, tenant: Some(text("acme-dev")), how: How::Device })),
        ("wait", ToBroker::Wait(Wait { id: 3, flow: text("f") })),
        ("decline", ToBroker::Decline(Wait { id: 4, flow: text("f") })),
        ("paste", ToBroker::Paste(Paste { id: 5, flow: text("f"), url: text("http://localhost:3000/?state=s") })),
        ("session_status", ToBroker::SessionStatus(Ask { id: 6 })),
        ("status", ToBroker::Status(Ask { id: 7 })),
        ("logout", ToBroker::Logout(Logout { id: 8, tenant: None })),
        ("token", ToBroker::Token(TokenRequest { id: 9, tenant: text("t"), scopes: vec![text("fr:idm:*")] })),
        ("pause", ToBroker::Pause(Pause { id: 10, paused: true })),
        ("stop", ToBroker::Stop(Ask { id: 11 })),
    ]
}

fn replies() -> Vec<(&'static str, ToShim)> {
    let text = str::to_owned;
    let success =
        Success { text: None, structured: Some(text("{\"a\":1}")), transaction_id: Some(text("t")), warning: None };
    let session = SessionReport {
        id: 6,
        tenant: text("t"),
        state: text("signed_in"),
        user: Some(text("ada@example.com")),
        expires_at: Some(text("2026-11-24T12:00:00Z")),
        pending: None,
    };
    vec![
        ("answer", ToShim::Answer(Answer { id: 1, outcome: Outcome::Success(success) })),
        ("answer_failure", ToShim::Answer(Answer { id: 1, outcome: Outcome::Failure(failure()) })),
        ("sign_in_needed", ToShim::SignInNeeded(SignInNeeded { id: 1, pending: browser() })),
        ("sign_in_needed_device", ToShim::SignInNeeded(SignInNeeded { id: 1, pending: device() })),
        ("sign_in_ended", ToShim::SignInEnded(SignInEnded { id: 3, end: End::SignedIn { user: None } })),
        ("sign_in_failed", ToShim::SignInEnded(SignInEnded { id: 3, end: End::Failed(failure()) })),
        ("session", ToShim::Session(session)),
        ("done", ToShim::Done(Ask { id: 5 })),
        ("failed", ToShim::Failed(Failed { id: 5, failure: failure() })),
        ("status_text", ToShim::Status(Text { id: 7, text: text("{}") })),
        ("logged_out", ToShim::LoggedOut(Text { id: 8, text: text("t: signed out") })),
        (
            "token_answer",
            ToShim::Token(TokenAnswer { id: 9, access_token: text("x"), expires_in: 60, scope: text("s") }),
        ),
        ("not_understood", ToShim::NotUnderstood(NotUnderstood { kind: 999 })),
        ("leaving", ToShim::Leaving(Leaving { reason: text("its program was replaced") })),
    ]
}

fn roles() -> [(&'static str, Hello); 2] {
    let shim = ShimHello {
        client: "editor 1.0".to_owned(),
        tenant: Some("acme-dev".to_owned()),
        read_only: true,
        toolsets: Some(vec!["logs".to_owned()]),
        container: false,
    };
    let hello = |role| Hello { newest: 1, oldest: 1, ..Hello::new("0.1.0", role) };
    [("hello_shim", hello(Role::Shim(shim))), ("hello_command", hello(Role::Command))]
}

fn first_replies() -> [(&'static str, Reply); 2] {
    let welcome = Welcome { protocol: 1, program: "0.1.0".to_owned(), pid: 7, state_key: [9; 32] };
    let turned_away = TurnedAway::Version { newest: 3, oldest: 2 };
    [("welcome", Reply::Welcome(welcome)), ("turned_away", Reply::TurnedAway(turned_away))]
}

fn hellos() -> Vec<(&'static str, Vec<u8>)> {
    let roles = roles().map(|(name, hello)| (name, hello.encode().unwrap()));
    let replies = first_replies().map(|(name, reply)| (name, reply.encode().unwrap()));
    roles.into_iter().chain(replies).collect()
}

fn all() -> Vec<(String, Vec<u8>)> {
    let requests =
        requests().into_iter().map(|(name, message)| (format!("to_broker.{name}"), message.encode().unwrap()));
    let replies = replies().into_iter().map(|(name, message)| (format!("to_shim.{name}"), message.encode().unwrap()));
    let hellos = hellos().into_iter().map(|(name, bytes)| (format!("hello.{name}"), bytes));
    requests.chain(replies).chain(hellos).collect()
}

fn saved(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frames/v1").join(format!("{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// To save the frames of a new version, set `SAVE_FRAMES=1` once; a released version's frames never change.
#[test]
fn saved_frames_are_what_is_sent_today() {
    for (name, bytes) in all() {
        if std::env::var_os("SAVE_FRAMES").is_some() {
            std::fs::write(saved(&name), hex(&bytes) + "\n").unwrap();
        }
        let text = std::fs::read_to_string(saved(&name)).unwrap_or_else(|_| panic!("no saved frame {name}"));
        assert_eq!(hex(&bytes), text.trim(), "{name}");
    }
}

#[test]
fn no_saved_frame_is_forgotten() {
    let files = std::fs::read_dir(saved("x").parent().unwrap()).unwrap().count();

    assert_eq!(files, all().len());
}

#[tokio::test]
async fn every_message_comes_back_as_it_was_sent() {
    for (name, message) in requests() {
        let bytes = message.encode().unwrap();
        let frame = frame::read(&mut bytes.as_slice(), REQUEST_LIMIT).await.unwrap().unwrap();
        assert_eq!(ToBroker::decode(&frame).unwrap(), message, "{name}");
    }
    for (name, message) in replies() {
        let bytes = message.encode().unwrap();
        let frame = frame::read(&mut bytes.as_slice(), REPLY_LIMIT).await.unwrap().unwrap();
        assert_eq!(ToShim::decode(&frame).unwrap(), message, "{name}");
    }
}

/// A frame that was read whole.
fn frame_of(bytes: &[u8]) -> Frame {
    Frame { kind: u16::from_be_bytes([bytes[4], bytes[5]]), body: bytes[6..].to_vec() }
}

#[test]
fn a_hello_comes_back_and_nothing_else_is_one() {
    for (name, hello) in roles() {
        let frame = frame_of(&hello.encode().unwrap());
        let other_kind = Frame { kind: 2, ..frame.clone() };
        let mut stranger = frame.clone();
        stranger.body[0] ^= 1;

        assert_eq!(Hello::decode(&frame).unwrap(), hello, "{name}");
        assert!(matches!(Hello::decode(&other_kind), Err(Error::Malformed(2))), "{name}");
        assert!(matches!(Hello::decode(&stranger), Err(Error::Malformed(1))), "{name}");
    }
}

#[test]
fn a_first_reply_comes_back_and_nothing_else_is_one() {
    for (name, reply) in first_replies() {
        let frame = frame_of(&reply.encode().unwrap());

        assert_eq!(Reply::decode(&frame).unwrap(), reply, "{name}");
        assert!(matches!(Reply::decode(&Frame { kind: 1, ..frame }), Err(Error::Malformed(1))), "{name}");
    }
}

#[tokio::test]
async fn a_frame_is_written_whole() {
    for (name, bytes) in all() {
        let mut written = Vec::new();
        frame::write(&mut written, &bytes).await.unwrap();
        assert_eq!(written, bytes, "{name}");
    }
}

#[tokio::test]
async fn a_frame_cut_anywhere_is_truncated() {
    for (name, bytes) in all() {
        for cut in 1..bytes.len() {
            let outcome = frame::read(&mut &bytes[..cut], REPLY_LIMIT).await;
            assert!(matches!(outcome, Err(Error::Truncated)), "{name} cut at {cut}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn an_absurd_length_is_refused_before_anything_is_reserved() {
    let cases: [(&[u8], usize); 4] = [
        (&[0xff, 0xff, 0xff, 0xff], REPLY_LIMIT),
        (&[0, 0, 0x10, 0x01, 0, 1], HELLO_LIMIT),
        (&[0, 0, 0, 0], REPLY_LIMIT),
        (&[0, 0, 0, 1, 0], REPLY_LIMIT),
    ];

    for (bytes, limit) in cases {
        let outcome = frame::read(&mut &bytes[..], limit).await;
        assert!(matches!(outcome, Err(Error::Length { .. })), "{bytes:?}: {outcome:?}");
    }
}

#[test]
fn an_unknown_message_and_later_fields_are_survived() {
    let unknown = Frame { kind: 999, body: vec![1, 2, 3] };
    let mut longer = Frame { kind: 11, body: vec![5] };
    longer.body.extend_from_slice(b"fields of a later version");

    assert_eq!(ToBroker::decode(&unknown).unwrap(), ToBroker::Unknown(999));
    assert_eq!(ToShim::decode(&unknown).unwrap(), ToShim::Unknown(999));
    assert_eq!(ToBroker::decode(&longer).unwrap(), ToBroker::Cancel(Cancel { id: 5 }));
}

#[test]
fn a_body_of_another_message_is_malformed() {
    let bodies: [&[u8]; 3] = [b"", &[0xff; 9], &[1, 0xfd, 0xff, 0xff, 0xff, 0xff]];

    for body in bodies {
        let frame = Frame { kind: 10, body: body.to_vec() };
        assert!(matches!(ToBroker::decode(&frame), Err(Error::Malformed(10))), "{body:?}");
    }
}

#[test]
fn a_message_is_sent_up_to_its_limit() {
    let hello = |length: usize| Hello::new("x".repeat(length), Role::Command).encode();
    let call = |length: usize| {
        ToBroker::Call(Call { id: 1, tool: String::new(), arguments: "x".repeat(length), within_ms: 0 }).encode()
    };

    assert_eq!((HELLO_LIMIT, REQUEST_LIMIT, REPLY_LIMIT), (4 << 10, 16 << 20, 40 << 20));
    assert!(hello(4000).is_ok() && hello(4097).is_err());
    assert!(call(REQUEST_LIMIT - 100).is_ok() && call(REQUEST_LIMIT).is_err());
}

/// bincode counts eight bytes for each length that is sent as one.
#[test]
fn a_short_message_of_many_lengths_is_read() {
    let scopes = vec![String::new(); 4080];
    let message = ToBroker::Token(TokenRequest { id: 9, tenant: "t".to_owned(), scopes });
    let frame = frame_of(&message.encode().unwrap());

    assert!(frame.body.len() < HELLO_LIMIT);
    assert_eq!(ToBroker::decode(&frame).unwrap(), message);
}

#[test]
fn a_message_that_is_too_large_is_not_sent() {
    let call = Call { id: 1, tool: String::new(), arguments: "x".repeat(REQUEST_LIMIT), within_ms: 0 };

    assert!(matches!(ToBroker::Call(call).encode(), Err(Error::Length { .. })));
}

#[test]
fn no_debug_output_shows_a_token_or_a_pasted_url() {
    let token =
        ToShim::Token(TokenAnswer { id: 1, access_token: "canary".to_owned(), expires_in: 1, scope: "s".to_owned() });
    let paste = ToBroker::Paste(Paste { id: 1, flow: "f".to_owned(), url: "canary".to_owned() });

    assert!(!format!("{token:?}{paste:?}").contains("canary"));
}
