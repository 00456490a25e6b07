//! TLS that is wrong in each way is refused before a byte of a request; the control is the certificate that is right.

use std::path::{Path, PathBuf};
use std::process::Command;

use aic_tests::harness::{Done, Running, SOON, World, eventually};

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

fn openssl(directory: &Path, words: &str) {
    let done = Command::new("openssl").args(words.split(' ')).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
}

/// An authority and a certificate of it for a host that is valid for so many days; the certificate with its key.
fn certificate(directory: &Path, authority: &str, host: &str, days: i32) -> PathBuf {
    let name = format!("{authority}-{host}-{days}");
    let ca = directory.join(format!("{authority}.pem"));
    if !ca.exists() {
        openssl(
            directory,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN={authority} -keyout {authority}.key -out {authority}.pem"
            ),
        );
    }
    openssl(directory, &format!("req -newkey rsa:2048 -nodes -subj /CN={host} -keyout {name}.key -out {name}.csr"));
    std::fs::write(directory.join("ext"), format!("subjectAltName=DNS:{host}\nextendedKeyUsage=serverAuth\n")).unwrap();
    openssl(
        directory,
        &format!(
            "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days {days} -extfile ext -out {name}.crt"
        ),
    );
    let chain = directory.join(format!("{name}.chain"));
    let parts = ["key", "crt"].map(|end| std::fs::read_to_string(directory.join(format!("{name}.{end}"))).unwrap());
    std::fs::write(&chain, parts.concat()).unwrap();
    chain
}

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
