//! A tenant that nobody reaches is told in time and in words, nothing is executed, and no storm of attempts follows.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aic_tests::harness::World;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, getsockname, listen, socket_with};
use serde_json::json;

use crate::{builder, calls};

/// How long a connection may take to come about, and what a busy machine may add.
const TOLD_WITHIN: Duration = Duration::from_secs(5 + 4);
/// How many calls wait at once: as many as one client may have.
const CALLS: usize = 32;
/// How many connections may be tried for them.
const ATTEMPTS: usize = 3;

/// A world whose one tenant is at this address.
fn world_at(address: &str) -> World {
    let world = builder().build();
    world.write_configuration(&format!(
        "keychain = \"memory\"\nbrowser = \"none\"\nnotifications = false\n\
         [tenants.t0]\nbase_url = \"{address}\"\nenvironment = \"sandbox\"\n"
    ));
    world
}

fn socket() -> OwnedFd {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    socket
}

fn address_of(socket: &OwnedFd) -> SocketAddr {
    SocketAddr::try_from(getsockname(socket).unwrap()).unwrap()
}

/// A listener whose queue is full: whoever connects is not answered.
fn silent() -> (OwnedFd, Vec<OwnedFd>) {
    let listener = socket();
    listen(&listener, 0).unwrap();
    let queued = (0..8).map(|_| {
        let visitor = socket();
        let _ = connect(&visitor, &address_of(&listener));
        visitor
    });
    let queued = queued.collect();
    (listener, queued)
}

/// Both a command and a call say in time that nobody is there, and that nothing was done.
#[track_caller]
fn is_told(world: &World) {
    let began = Instant::now();
    let asked = world.run(&["login", "--tenant", "t0"]);
    let took = began.elapsed();
    assert_eq!(asked.code, Some(4), "{asked:?}");
    assert!(asked.err.contains("cannot connect to") && took < TOLD_WITHIN, "{took:?} {asked:?}");

    let answer = calls::read(&mut world.editor("editor"));
    assert_eq!((answer.kind(), answer.executed()), ("login_failed", "no"), "{answer}");
    assert!(answer.took < TOLD_WITHIN && answer.text().contains("cannot connect to"), "{answer}");
}

#[test]
fn a_tenant_that_refuses_connections_is_told_at_once() {
    let nobody = socket();

    is_told(&world_at(&format!("http://{}", address_of(&nobody))));
}

#[test]
fn a_tenant_that_does_not_answer_connections_is_told_after_five_seconds() {
    let (listener, _queued) = silent();

    is_told(&world_at(&format!("http://{}", address_of(&listener))));
}

#[test]
fn many_calls_to_a_tenant_that_hangs_up_try_few_connections() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, tried) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&tried);
    // ends with the process
    std::thread::spawn(move || listener.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
    let world = world_at(&format!("http://{address}"));
    let mut editor = world.editor("editor");

    for _ in 0..2 {
        let waiting: Vec<_> = (0..CALLS).map(|_| editor.begin("getLogSources", json!({}))).collect();
        for answer in waiting.into_iter().map(|waiting| waiting.answer()) {
            assert_eq!((answer.kind(), answer.executed()), ("login_failed", "no"), "{answer}");
        }
    }

    assert!(tried.load(Ordering::SeqCst) <= ATTEMPTS, "{tried:?}");
}
