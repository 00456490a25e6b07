//! Makes authorities and certificates with OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

fn openssl(directory: &Path, words: &str) {
    let done = Command::new("openssl").args(words.split(' ')).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
}

/// An authority and a certificate of it for a host that is valid for so many days; the certificate with its key.
pub fn certificate(directory: &Path, authority: &str, host: &str, days: i32) -> PathBuf {
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
