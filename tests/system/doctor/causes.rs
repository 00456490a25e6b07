//! How each thing goes wrong: a world for each finding of the doctor.

mod editors;

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use aic_tests::harness::free_port;
use aic_tests::tenant::faults::{Fault, Kind};

use super::played::Played;
use super::scene::{Kept, Scene, python, script};
use crate::{builder, world};

pub(super) use editors::*;

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn scene() -> Scene {
    Scene::of(world())
}

/// A scene whose configuration has these lines at its top.
fn with_top(lines: &str) -> Scene {
    let scene = scene();
    scene.world.configure(lines);
    scene
}

/// A scene in which the tenant is somewhere else.
fn with_base_url(url: &str) -> Scene {
    let scene = scene();
    let (text, own) = (scene.world.configuration(""), scene.world.tenant().base_url().to_string());
    scene.world.write_configuration(&text.replace(&own, url));
    scene.edit(format!("s|{url}|{own}|"))
}

pub(super) fn check_too_slow() -> Scene {
    let scene = scene();
    assert_eq!(scene.shell("mkfifo \"$AIC_BROKER_STATE_DIR/audit.jsonl\"").code, Some(0));
    scene.deed(|scene| std::fs::remove_file(scene.world.place.audit()).unwrap())
}

pub(super) fn places_unknown() -> Scene {
    scene().set("AIC_BROKER_RUNTIME_DIR", "")
}

pub(super) fn configuration_wrong() -> Scene {
    with_top("surprise = 1").edit("/surprise/d")
}

pub(super) fn configuration_unreadable() -> Scene {
    let scene = scene();
    std::fs::write(scene.world.place.configuration(), b"keychain = \"\xff\"").unwrap();
    scene
}

pub(super) fn configuration_writable() -> Scene {
    let scene = scene();
    mode(&scene.world.place.configuration(), 0o666);
    scene
}

pub(super) fn certificates_unreadable() -> Scene {
    with_top("ca_file = \"/nonexistent.pem\"").edit("/ca_file/d")
}

pub(super) fn tenants_none() -> Scene {
    let scene = scene();
    scene.world.write_configuration("keychain = \"memory\"\nbrowser = \"none\"\n");
    scene
}

pub(super) fn tenant_refused() -> Scene {
    with_base_url("https://openam-acme-prod.id.forgerock.io")
}

pub(super) fn socket_path_long() -> Scene {
    let scene = scene();
    let long = scene.world.place.root.join("x".repeat(90)).display().to_string();
    scene.set("AIC_BROKER_RUNTIME_DIR", &long)
}

pub(super) fn socket_directory_open() -> Scene {
    let scene = scene();
    mode(&scene.world.place.run, 0o755);
    scene
}

/// Only the superuser can give a directory away; everybody else finds one of the superuser's.
pub(super) fn socket_directory_foreign() -> Scene {
    let scene = scene();
    match chown(&scene.world.place.run, Some(61_001), None) {
        Ok(()) => scene,
        Err(_) => scene.set("AIC_BROKER_RUNTIME_DIR", "/usr").deed(|scene| scene.variables.clear()),
    }
}

pub(super) fn socket_directory_none() -> Scene {
    let scene = scene();
    let real = scene.world.place.root.join("real");
    std::fs::rename(&scene.world.place.run, &real).unwrap();
    symlink(&real, &scene.world.place.run).unwrap();
    scene
}

pub(super) fn socket_parent_writable() -> Scene {
    let scene = scene();
    mode(&scene.world.place.root, 0o777);
    scene
}

fn with_broker() -> Scene {
    let scene = scene();
    let broker = scene.world.serve();
    scene.keep(Kept::Broker(broker))
}

pub(super) fn socket_open() -> Scene {
    let scene = with_broker();
    mode(&scene.world.place.socket(), 0o666);
    scene
}

const FOREIGN: &str = "
import os, socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.setresuid(61001, 61001, 0)
listener.listen()
print('ready', flush=True)
time.sleep(60)";

/// A process that gave up the superuser's rights before it listened: the OS tells its later user.
pub(super) fn socket_foreign() -> Scene {
    let scene = scene();
    let socket = scene.world.place.socket().display().to_string();
    scene.keep(python(FOREIGN, &[&socket]))
}

/// A socket of another kind: the OS refuses to connect to it.
pub(super) fn socket_refused() -> Scene {
    let scene = scene();
    let other = UnixDatagram::bind(scene.world.place.socket()).unwrap();
    scene.keep(Kept::Thing(Box::new(other)))
}

pub(super) fn broker_hanging() -> Scene {
    let scene = with_broker();
    assert_eq!(scene.shell(&format!("kill -STOP {}", scene.world.broker().pid)).code, Some(0));
    scene
}

const LOCKING: &str = "
import fcntl, sys, time
lock = open(sys.argv[1], 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
print('ready', flush=True)
time.sleep(60)";

pub(super) fn broker_locked() -> Scene {
    let scene = scene();
    let lock = scene.world.place.run.join("broker.lock").display().to_string();
    scene.keep(python(LOCKING, &[&lock]))
}

/// The printed line ends the process, which is this test's own: the person ends it more gently.
pub(super) fn broker_turned_away() -> Scene {
    let scene = scene();
    let played = Played::turning_away(&scene.world.place.socket());
    scene.keep(Kept::Thing(Box::new(played))).deed(|scene| scene.kept.clear())
}

pub(super) fn broker_other_version() -> Scene {
    let scene = scene();
    let played = Played::welcoming(&scene.world.place.socket(), "0.0.9");
    scene.keep(Kept::Thing(Box::new(played)))
}

pub(super) fn broker_replaced() -> Scene {
    let scene = with_broker();
    let program = scene.world.place.programs.join("aic-broker");
    let newer = scene.world.place.root.join("newer");
    std::fs::copy(&program, &newer).unwrap();
    std::fs::rename(newer, &program).unwrap();
    scene
}

fn shim(scene: &Scene) -> std::path::PathBuf {
    scene.world.place.programs.join("aic-mcp")
}

pub(super) fn shim_missing() -> Scene {
    let scene = scene();
    std::fs::rename(shim(&scene), scene.tools().join("aic-mcp")).unwrap();
    scene
}

/// Another program has the shim's place; the person installs both of one release again.
fn with_shim(text: &str) -> Scene {
    let scene = scene();
    let kept = scene.world.place.root.join("release");
    std::fs::rename(shim(&scene), &kept).unwrap();
    script(&shim(&scene), text);
    scene.deed(move |scene| std::fs::rename(&kept, shim(scene)).unwrap())
}

pub(super) fn shim_broken() -> Scene {
    with_shim("#!/bin/sh\nexit 1\n")
}

pub(super) fn shim_other_version() -> Scene {
    with_shim("#!/bin/sh\necho aic-mcp 0.0.9\n")
}

pub(super) fn keychain_absent() -> Scene {
    with_top("keychain = \"auto\"").edit("s/\"auto\"/\"memory\"/")
}

pub(super) fn keychain_required() -> Scene {
    with_top("keychain = \"os\"").edit("s/\"os\"/\"memory\"/")
}

/// A bus that accepts connections and says nothing.
pub(super) fn keychain_hanging() -> Scene {
    let scene = with_top("keychain = \"auto\"").edit("s/\"auto\"/\"memory\"/");
    let bus = scene.world.place.root.join("bus");
    let silent = UnixListener::bind(&bus).unwrap();
    scene.set("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={}", bus.display())).keep(Kept::Thing(Box::new(silent)))
}

const HOLDING: &str = "
import socket, sys, time
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('ready', flush=True)
time.sleep(60)";

pub(super) fn port_taken() -> Scene {
    let scene = scene();
    let port = scene.world.ports[0].to_string();
    scene.keep(python(HOLDING, &[&port]))
}

/// A port below 1024, for somebody who may not have one; the person is allowed to.
pub(super) fn port_refused() -> Scene {
    let mut scene = scene();
    let text = scene.world.configuration("");
    let own = format!("localhost:{}", scene.world.ports[0]);
    scene.world.write_configuration(&text.replace(&own, "localhost:81"));
    scene.wrapper = "setpriv --bounding-set -net_bind_service --inh-caps -net_bind_service".to_owned();
    scene.deed(|scene| scene.wrapper.clear())
}

pub(super) fn browser_missing() -> Scene {
    with_top("browser = [\"/nonexistent/browser\"]").edit("s/^browser.*/browser = \"auto\"/")
}

pub(super) fn browser_none() -> Scene {
    with_top("browser = \"auto\"").edit("s/^browser.*/browser = \"none\"/")
}

pub(super) fn proxy_only_in_shell() -> Scene {
    scene().set("HTTPS_PROXY", "http://127.0.0.1:9").edit("1i proxy = \"http://127.0.0.1:9\"")
}

pub(super) fn certificates_only_in_shell() -> Scene {
    let scene = scene().set("SSL_CERT_FILE", "/etc/our-ca.pem");
    scene.edit("1i ca_file = \"/etc/our-ca.pem\"")
}

pub(super) fn proxy_failed() -> Scene {
    with_top(&format!("proxy = \"http://127.0.0.1:{}\"", free_port())).edit("/^proxy/d")
}

pub(super) fn name_unknown() -> Scene {
    with_base_url("https://openam-acme-dev.id.forgerock.invalid")
}

pub(super) fn unreachable() -> Scene {
    with_base_url(&format!("http://127.0.0.1:{}", free_port()))
}

/// The network carries nothing for as long as one look; the person gets it mended.
pub(super) fn silent() -> Scene {
    let scene = scene();
    scene.world.tenant().add_fault(Fault { times: 1, ..Fault::once("/", Kind::Hang) });
    scene.deed(|_| ())
}

pub(super) fn tls_failed() -> Scene {
    let scene = scene();
    let text = scene.world.configuration("");
    let own = scene.world.tenant().base_url().to_string();
    scene.world.write_configuration(&text.replace(&own, &own.replace("http:", "https:")));
    scene.edit("s|https:|http:|")
}

const TLS: &str = "
import http.server, ssl, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
print('ready', flush=True)
server.serve_forever()";

/// An authority and a certificate by it for a name, made at a date.
const CERTIFICATES: &str = r#"set -e; cd "$1"
faketime "$2" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=authority -keyout ca.key -out ca.pem 2> log
faketime "$2" openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=tenant -keyout key.pem -out request.pem 2>> log
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$3" > extensions
faketime "$2" openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out cert.pem 2>> log
"#;

/// A tenant behind TLS, with a certificate for a name, made at a date; whether its authority is known.
fn behind_tls(date: &str, name: &str, known: bool) -> Scene {
    let mut scene = scene();
    let place = scene.world.place.root.display().to_string();
    script(&scene.tools().join("certificates"), &format!("#!/bin/bash\n{CERTIFICATES}"));
    let made = scene.shell(&format!("certificates {place} '{date}' {name}"));
    assert_eq!(made.code, Some(0), "{made:?}; {:?}", std::fs::read_to_string(format!("{place}/log")));
    let port = free_port().to_string();
    scene.kept.push(python(TLS, &[&port, &format!("{place}/cert.pem"), &format!("{place}/key.pem")]));
    let top = if known { format!("ca_file = \"{place}/ca.pem\"") } else { String::new() };
    let own = scene.world.tenant().base_url().to_string();
    let text = scene.world.configuration(&top).replace(&own, &format!("https://localhost:{port}"));
    scene.world.write_configuration(&text);
    scene
}

/// What is right now, so that a certificate made now is good.
const NOW: &str = "now";

pub(super) fn tls_unknown_authority() -> Scene {
    let scene = behind_tls(NOW, "DNS:localhost", false);
    let authority = scene.world.place.root.join("ca.pem").display().to_string();
    scene.edit(format!("1i ca_file = \"{authority}\""))
}

pub(super) fn tls_wrong_host() -> Scene {
    behind_tls(NOW, "IP:127.0.0.1", true).edit("s|https://localhost|https://127.0.0.1|")
}

/// The person sets the clock, for this program.
fn clock_set_to(scene: &mut Scene, date: &str) {
    scene.variables.push(("DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()));
    scene.wrapper = format!("faketime '{date}'");
}

pub(super) fn tls_expired() -> Scene {
    behind_tls("2024-05-01", "DNS:localhost", true).deed(|scene| clock_set_to(scene, "2024-05-10"))
}

pub(super) fn tls_not_yet_valid() -> Scene {
    behind_tls("2034-05-01", "DNS:localhost", true).deed(|scene| clock_set_to(scene, "2034-05-10"))
}

pub(super) fn clock_wrong() -> Scene {
    let scene = Scene::of(builder().switches(|switches| switches.clock_ahead_seconds = 3600).build());
    scene.deed(|scene| clock_set_to(scene, "now +1 hour"))
}

pub(super) fn state_unwritable() -> Scene {
    let scene = scene();
    std::fs::remove_dir(&scene.world.place.state).unwrap();
    std::fs::write(&scene.world.place.state, "").unwrap();
    scene
}

/// A disk of one megabyte, which only the doctor sees; the person gets another.
pub(super) fn disk_full() -> Scene {
    let mut scene = scene();
    let state = scene.world.place.state.display().to_string();
    scene.wrapper = format!("unshare -rm sh -c 'mount -t tmpfs -o size=1m,mode=700 none {state} && exec \"$@\"' sh");
    scene.deed(|scene| scene.wrapper.clear())
}

pub(super) fn audit_broken() -> Scene {
    let scene = scene();
    scene.world.run(&["login"]).left_with(0);
    scene.world.run(&["stop"]).left_with(0);
    scene.world.no_broker_within(aic_tests::harness::SOON);
    let audit = scene.world.place.audit();
    let lines = std::fs::read_to_string(&audit).unwrap();
    let changed: Vec<&str> =
        lines.lines().enumerate().filter(|(number, _)| *number != 1).map(|(_, line)| line).collect();
    std::fs::write(audit, changed.join("\n") + "\n").unwrap();
    scene
}
