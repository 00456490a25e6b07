//! Listens on both loopbacks for the one redirect of a sign-in. Everything else is answered and changes nothing. Follows RFC 8252 sections 7.3 and 8.3.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::authorize::{Expected, Redirect, judge};
use super::navigation::is_navigation;
use super::page::{Page, render};
use crate::config::Tenant;
use crate::os::ADDRESS_FAMILY_NOT_SUPPORTED;
use crate::secret::Secret;

/// How many connections are held at once: a browser opens a handful, and stalled ones end by themselves.
const CONNECTIONS: usize = 512;
/// How long a request's head may take: a browser on this machine sends it at once.
const HEAD_WITHIN: Duration = Duration::from_secs(2);
/// The largest request head: a code and a state are a few hundred bytes.
const HEAD_LIMIT: usize = 16 * 1024;
/// The pause after an accept that failed, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long the browser may take to fetch the last page after the port is closed.
const LAST_PAGE_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may live: the awaited one waits for the code to be redeemed.
const CONNECTION_WITHIN: Duration = Duration::from_secs(40);

/// The redirect port, held on both loopbacks.
#[derive(Debug)]
pub struct Loopback {
    listeners: Vec<TcpListener>,
}

/// Another program has the redirect port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortTaken {
    /// The port.
    pub port: u16,
    /// What the OS said.
    pub reason: String,
}

impl Loopback {
    /// Takes the port on 127.0.0.1 and ::1; a machine without IPv6 has only the first.
    ///
    /// Errors: [`PortTaken`] when either is not to be had: browsers try `[::1]` first, and another user could wait there.
    pub async fn hold(port: u16) -> Result<Self, PortTaken> {
        let mut listeners = Vec::new();
        for address in [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)] {
            match TcpListener::bind(SocketAddr::new(address, port)).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if address.is_ipv6() && has_no_ipv6(&error) => {}
                Err(error) => return Err(PortTaken { port, reason: error.to_string() }),
            }
        }
        Ok(Self { listeners })
    }

    async fn next(&self) -> io::Result<TcpStream> {
        let arrivals = self.listeners.iter().map(|listener| Box::pin(listener.accept()));
        let (first, ..) = futures_util::future::select_all(arrivals).await;
        first.map(|(stream, _)| stream)
    }
}

/// The standard library gives an address family that is not there no kind.
fn has_no_ipv6(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED)
}

/// The awaited redirect, whose browser waits for the last page.
pub(super) struct Arrived {
    pub(super) redirect: Redirect,
    pub(super) page: oneshot::Sender<String>,
}

struct Awaited {
    tenant: Tenant,
    state: Arc<Secret>,
    found: mpsc::Sender<Arrived>,
}

/// An open redirect port.
pub(super) struct Open {
    close: oneshot::Sender<()>,
    closed: oneshot::Receiver<()>,
}

impl Open {
    /// Closes the port; when this returns it is free. Connections that still fetch the last page are left to it.
    pub(super) async fn close(self) {
        drop(self.close);
        let _ = self.closed.await;
    }
}

/// Reads one connection's request as a browser's on the redirect port is read.
pub(super) async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    tenant: Tenant,
    state: Arc<Secret>,
    found: mpsc::Sender<Arrived>,
) {
    one(stream, Arc::new(Awaited { tenant, state, found })).await;
}

/// Serves the port until it is closed, or what is returned is dropped. The caller answers [`Arrived::page`].
pub(super) fn serve(held: Loopback, tenant: Tenant, state: Arc<Secret>, found: mpsc::Sender<Arrived>) -> Open {
    let awaited = Arc::new(Awaited { tenant, state, found });
    let (close, until) = oneshot::channel();
    let (done, closed) = oneshot::channel();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        tokio::select! {
            never = accept(held, &awaited, &mut connections) => match never {},
            _ = until => {}
        }
        let _ = done.send(());
        let fetched = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_PAGE_WITHIN, fetched).await;
    });
    Open { close, closed }
}

async fn accept(held: Loopback, awaited: &Arc<Awaited>, connections: &mut JoinSet<()>) -> Infallible {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match held.next().await {
            Ok(stream) => {
                let awaited = Arc::clone(awaited);
                connections.spawn(async move {
                    let _ = tokio::time::timeout(CONNECTION_WITHIN, one(stream, awaited)).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn one(stream: impl AsyncRead + AsyncWrite + Unpin, awaited: Arc<Awaited>) {
    let service = service_fn(|request| {
        let awaited = Arc::clone(&awaited);
        async move { Ok::<_, Infallible>(answer(&request, &awaited).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_LIMIT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: &Request<Incoming>, awaited: &Awaited) -> Response<Full<Bytes>> {
    let redirect = match is_navigation(request.method(), request.uri().path(), request.headers(), &awaited.tenant) {
        true => judge(
            request.uri().query().unwrap_or_default(),
            &Expected { tenant: &awaited.tenant, state: &awaited.state },
        ),
        false => Redirect::NotOurs,
    };
    let (page, last) = oneshot::channel();
    let handed = match redirect {
        Redirect::NotOurs => false,
        ours => awaited.found.try_send(Arrived { redirect: ours, page }).is_ok(),
    };
    match handed {
        true => html(
            StatusCode::OK,
            last.await.unwrap_or_else(|_| render(Page::Failed { reason: "it was given up" }, &awaited.tenant)),
        ),
        false => html(StatusCode::NOT_FOUND, render(Page::NotOurs, &awaited.tenant)),
    }
}

fn html(status: StatusCode, page: String) -> Response<Full<Bytes>> {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(CACHE_CONTROL, "no-store")
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(REFERRER_POLICY, "no-referrer")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Full::new(Bytes::from(page)))
        .unwrap_or_default()
}
