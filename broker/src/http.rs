//! Sends one HTTP request and reads one bounded answer. The only file that names the HTTP client.

mod obstacle;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

pub use obstacle::{Obstacle, date};
pub use reqwest::Method;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use crate::secret::Bearer;

/// How long a connection may take to come about: longer means that nobody is there.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a whole exchange may take at the most; callers give less.
pub const TOTAL_WITHIN: Duration = Duration::from_secs(60);
/// How long an unused connection is kept: shorter than what AIC's front end keeps.
const IDLE_KEPT: Duration = Duration::from_secs(30);
/// The most of an OAuth answer: tokens are a few kilobytes.
pub const OAUTH_LIMIT: usize = 1024 * 1024;
/// The most of an API answer: the largest documents of a tenant are about a hundred kilobytes.
pub const API_LIMIT: usize = 16 * 1024 * 1024;

/// What the client is built from.
#[derive(Debug, Default, Clone)]
pub struct Settings {
    /// A proxy for every request.
    pub proxy: Option<String>,
    /// Certificates that are trusted besides the OS's, PEM.
    pub extra_roots: Vec<Vec<u8>>,
    /// Whether the usual proxy variables count.
    pub environment_proxies: bool,
}

/// The one HTTP client of the process: no redirects, no cookies, no referer.
#[derive(Debug, Clone)]
pub struct Http(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    client: RwLock<reqwest::Client>,
    /// Why no server can be trusted, where none can.
    trusts_nobody: Option<String>,
}

/// One request.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// The headers, without the token.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// The token to send.
    pub bearer: Option<Bearer>,
    /// How long the exchange may take.
    pub within: Duration,
    /// The largest body that is read, in bytes.
    pub limit: usize,
}

/// One answer, whatever its status.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: it may hold a token, so it is wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of the request left this process.
    #[error("cannot connect to {host}: {cause}")]
    NotSent {
        /// The host.
        host: String,
        /// The innermost cause, as text.
        cause: String,
    },
    /// The request may have arrived, and no whole answer came.
    #[error("no answer from {host}: {cause}")]
    NoAnswer {
        /// The host.
        host: String,
        /// The innermost cause, as text.
        cause: String,
    },
    /// The time ran out after the request may have arrived.
    #[error("no answer from {host} in {seconds} s")]
    TimedOut {
        /// The host.
        host: String,
        /// How long it was waited.
        seconds: u64,
    },
    /// The answer is larger than what is read.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        limit: usize,
    },
}

impl Http {
    /// Builds the client.
    ///
    /// A machine without certificates of authorities, such as a bare container, has a client that trusts nobody.
    ///
    /// Errors: the proxy or a certificate cannot be used; the text says which.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let (client, trusts_nobody) = build(&settings)?;
        Ok(Self(Arc::new(Inner { settings, client: RwLock::new(client), trusts_nobody })))
    }

    /// Gives up all connections: their buffers still hold what was sent last, and that may have been a token.
    /// Requests under way keep theirs to their end.
    pub fn forget_connections(&self) {
        if let Ok((client, _)) = build(&self.0.settings) {
            *self.0.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        }
    }

    fn client(&self) -> reqwest::Client {
        self.0.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request and reads the whole answer.
    ///
    /// Errors: [`Error::NotSent`] only when certainly nothing arrived.
    pub async fn send(&self, request: Request) -> Result<Reply, Error> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if let Some(reason) = self.0.trusts_nobody.as_ref().filter(|_| request.url.scheme() == "https") {
            let cause = format!("{reason}; install the OS's CA certificates, or name a file in config.toml: ca_file");
            return Err(Error::NotSent { host, cause });
        }
        let (within, limit) = (request.within.min(TOTAL_WITHIN), request.limit);
        let exchange = async {
            let response = self.client().execute(prepare(request)).await.map_err(|error| classify(&host, &error))?;
            read(response, limit, &host).await
        };
        match tokio::time::timeout(within, exchange).await {
            Ok(done) => done,
            Err(_) => Err(Error::TimedOut { host: host.clone(), seconds: within.as_secs() }),
        }
    }
}

/// The client, and why it trusts nobody where it does.
fn build(settings: &Settings) -> Result<(reqwest::Client, Option<String>), String> {
    let finish = |builder: reqwest::ClientBuilder| builder.build().map_err(|error| innermost(&error));
    match finish(prepared(settings)?.tls_certs_merge(certificates(&settings.extra_roots)?)) {
        Err(reason) if settings.extra_roots.is_empty() => {
            Ok((finish(prepared(settings)?.tls_certs_only([]))?, Some(reason)))
        }
        built => Ok((built?, None)),
    }
}

fn prepared(settings: &Settings) -> Result<reqwest::ClientBuilder, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("aic-mcp/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(IDLE_KEPT)
        .tcp_nodelay(true);
    if !settings.environment_proxies {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|error| format!("proxy: {}", innermost(&error)))?);
    }
    Ok(builder)
}

impl Http {
    /// Asks a host for nothing but its headers: no token, no cookie, no redirect.
    ///
    /// Errors: what stands between us and it.
    pub async fn look(&self, url: Url, within: Duration) -> Result<HeaderMap, Obstacle> {
        let question = self.client().head(url).timeout(within).send();
        question.await.map(|answer| answer.headers().clone()).map_err(|error| obstacle::of(&error))
    }
}

/// How long the peer asks to wait; `None` when it does not say. What cannot be read is longer than anybody waits.
///
/// Source: RFC 9110 section 10.2.3: seconds or an HTTP date.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().unwrap_or_default().trim();
    let date =
        || jiff::fmt::rfc2822::parse(text).ok().and_then(|date| u64::try_from(date.timestamp().as_second()).ok());
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let until = || date().map(|seconds| at(seconds).duration_since(now).unwrap_or_default());
    Some(text.parse().ok().map(Duration::from_secs).or_else(until).unwrap_or(Duration::MAX))
}

fn prepare(request: Request) -> reqwest::Request {
    let mut prepared = reqwest::Request::new(request.method, request.url);
    *prepared.headers_mut() = request.headers;
    if let Some(bearer) = request.bearer {
        bearer.put_on(prepared.headers_mut());
    }
    *prepared.body_mut() = request.body.map(Into::into);
    prepared
}

async fn read(mut response: reqwest::Response, limit: usize, host: &str) -> Result<Reply, Error> {
    let too_large = || Error::TooLarge { host: host.to_owned(), limit };
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or_default()));
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(host, &error))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        append(&mut body, &chunk);
    }
    Ok(Reply { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// Grows by copying into a new buffer and wiping the old one, which `Vec` alone would leave behind.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.capacity() - body.len() < chunk.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + chunk.len()) * 2));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}

fn classify(host: &str, error: &reqwest::Error) -> Error {
    let (host, cause) = (host.to_owned(), innermost(error));
    match error.is_connect() || error.is_builder() {
        true => Error::NotSent { host, cause },
        false => Error::NoAnswer { host, cause },
    }
}

/// The innermost cause: reqwest's own text holds the URL, which may hold a code.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the connection failed".to_owned(),
        None => cause.to_string(),
    }
}

/// Whether a file's content is certificates.
///
/// Errors: a text that says what it is not.
pub fn check_certificates(pem: &[u8]) -> Result<(), String> {
    match certificates(&[pem.to_vec()])?.is_empty() {
        true => Err("holds no PEM certificate".to_owned()),
        false => Ok(()),
    }
}

fn certificates(files: &[Vec<u8>]) -> Result<Vec<reqwest::Certificate>, String> {
    let mut all = Vec::new();
    for pem in files {
        all.extend(reqwest::Certificate::from_pem_bundle(pem).map_err(|_| "not a PEM certificate file".to_owned())?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_both_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cases = [
            ("0", Some(Duration::ZERO)),
            ("7", Some(Duration::from_secs(7))),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(Duration::from_secs(10))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
            ("-1", Some(Duration::MAX)),
            ("soon", Some(Duration::MAX)),
        ];

        for (text, wanted) in cases {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static("retry-after"), HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), wanted, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
