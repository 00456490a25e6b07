//! TLS that is wrong in each way is refused before a byte of a request; the control is the certificate that is right.

use std::path::Path;
use std::process::Command;

use aic_tests::harness::{Done, Running, SOON, World, certificate, eventually};

use crate::world;

/// Serves on a port of its own and says so, then says for each request that one came, and answers 404.
const SERVER: &str = "import http.server,ssl,sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self): print('request',flush=True); self.send_error(404)
    def log_message(self,*a): pass
server=http.server.ThreadingHTTPServer(('127.0.0.1',0),Answer)
chain,highest=sys.argv[1:]
if chain:
    context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(chain)
    context.minimum_version=ssl.TLSVersion.TLSv1
    context.maximum_version=getattr(ssl.TLSVersion,highest); context.set_ciphers('ALL:@SECLEVEL=0')
    server.socket=context.wrap_socket(server.socket,server_side=True)
print('port',server.server_address[1],flush=True); server.serve_forever()";

fn server(chain: &str, highest: &str) -> (Running, String) {
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", SERVER, chain, highest]);
    let server = Running::start(command);
    let port = eventually(SOON, "the server listens", || {
        server.said().lines().find_map(|line| line.strip_prefix("port ").map(str::to_owned))
    });
    (server, port)
}

/// A sign-in at this port, which trusts this authority.
fn sign_in(world: &World, port: &str, ca: &Path) -> Done {
    world.write_configuration(&format!(
        "keychain = \"memory\"\nbrowser = \"none\"\nnotifications = false\nca_file = {ca:?}\n\
         [tenants.t0]\nbase_url = \"https://localhost:{port}\"\nenvironment = \"sandbox\"\n"
    ));
    let done = world.run(&["login", "--device", "--tenant", "t0"]);
    world.run(&["stop"]);
    world.no_broker_within(SOON);
    done
}

#[test]
fn only_a_certificate_of_the_host_that_is_valid_now_is_trusted() {
    let world = world();
    let place = &world.place.home;
    let [good, late, other, unknown] = [
        ("ours", "localhost", 9),
        ("ours", "localhost", -1),
        ("ours", "elsewhere.example", 9),
        ("theirs", "localhost", 9),
    ]
    .map(|(authority, host, days)| certificate(place, authority, host, days));
    let cases = [
        ("right", good.to_str().unwrap(), "TLSv1_3", true),
        ("right, TLS 1.2", good.to_str().unwrap(), "TLSv1_2", true),
        ("expired", late.to_str().unwrap(), "TLSv1_3", false),
        ("of another host", other.to_str().unwrap(), "TLSv1_3", false),
        ("of an unknown authority", unknown.to_str().unwrap(), "TLSv1_3", false),
        ("TLS 1.1", good.to_str().unwrap(), "TLSv1_1", false),
        ("no TLS at all", "", "TLSv1_3", false),
    ];

    for (what, chain, highest, trusted) in cases {
        let (server, port) = server(chain, highest);
        let done = sign_in(&world, &port, &place.join("ours.pem"));

        assert_ne!(done.code, Some(0), "{what}: {done:?}");
        assert_eq!(server.said().contains("request"), trusted, "{what}: {done:?} {}", server.said());
        assert_eq!(done.said().contains("cannot connect"), !trusted, "{what}: {done:?}");
    }
}
