//! Ends TLS before a tenant, which speaks plain HTTP.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running terminator; it ends when it is dropped.
#[derive(Debug)]
pub struct Terminator {
    /// Where TLS is spoken.
    pub port: u16,
    task: JoinHandle<()>,
}

impl Terminator {
    /// Speaks TLS with the certificate and key of a file, on the current runtime; `resumes` says whether it gives
    /// tickets for later connections.
    ///
    /// Errors: the port cannot be bound.
    pub async fn start(chain: &Path, onward: u16, resumes: bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(chain).expect("a certificate")],
                PrivateKeyDer::from_pem_file(chain).expect("a key"),
            )
            .expect("a certificate that fits its key");
        config.send_tls13_tickets = if resumes { 2 } else { 0 };
        let task = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), onward));
        Ok(Self { port, task })
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, onward: u16) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((outside, _)) = listener.accept().await else { continue };
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            let Ok(mut outside) = acceptor.accept(outside).await else { return };
            if let Ok(mut tenant) = TcpStream::connect((Ipv4Addr::LOCALHOST, onward)).await {
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut tenant).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
