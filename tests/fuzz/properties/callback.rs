//! Requests to the redirect port and pasted URLs: only the awaited state is taken, once, from a browser's own navigation.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aic_broker::fuzzing::{Redirected, pasted, requested};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{assert_plain, block_on, with_tenant};

const STATE: &str = "awaited";
const ISSUER: &str = "https://openam-acme-dev.id.forgerock.io/am/oauth2";
const ISSUER_WITH_PORT: &str = "https://openam-acme-dev.id.forgerock.io:443/am/oauth2";

/// The bytes are a connection's, and the text of a paste.
pub(super) fn hold(data: &[u8]) {
    let mut stream = Stream { input: data, output: Vec::new() };
    let taken = with_tenant(|tenant| block_on(requested(tenant, STATE, &mut stream)));
    if let Some(redirected) = &taken {
        is_awaited(&query_of_request(data), redirected);
        is_navigation(data);
    }
    is_no_other_answer(&stream.output, taken.is_some());
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(redirected) = with_tenant(|tenant| pasted(tenant, STATE, text)) {
        let url = url::Url::parse(text.trim()).expect("a URL was taken");
        is_awaited(url.query().unwrap_or_default(), &redirected);
    }
}

fn is_awaited(query: &str, redirected: &Redirected) {
    let all = |name: &str| -> Vec<String> {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(all("state"), [STATE], "{query}");
    assert!(all("iss").iter().all(|iss| [ISSUER, ISSUER_WITH_PORT].contains(&iss.as_str())), "{query}");
    match redirected {
        Redirected::Code(code) => {
            assert_eq!(all("code"), [code.as_str()]);
            assert!(!code.is_empty() && all("error").is_empty());
        }
        Redirected::Refused(words) => {
            assert!(all("code").is_empty() && all("error").len() == 1);
            assert_plain(words);
        }
    }
}

/// The query of the first line, which hyper looks for behind empty ones.
fn query_of_request(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(head(data));
    let target =
        text.split([' ', '\r', '\n']).filter(|word| !word.is_empty()).nth(1).expect("a request line was taken");
    let target = target.split('#').next().unwrap_or_default();
    target.split_once('?').map_or(String::new(), |(_, query)| query.to_owned())
}

fn is_navigation(data: &[u8]) {
    let head = String::from_utf8_lossy(head(data)).to_ascii_lowercase();
    let lines: Vec<&str> = head.trim_start().lines().collect();
    let values = |name: &str| -> Vec<&str> {
        let pairs = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).collect()
    };

    assert!(lines[0].starts_with("get "), "{head}");
    assert_eq!(values("host"), ["localhost:3000"]);
    assert_eq!(values("origin"), [""; 0]);
    assert!(values("sec-fetch-mode").iter().all(|mode| *mode == "navigate"), "{head}");
    assert!(values("sec-fetch-dest").iter().all(|dest| *dest == "document"), "{head}");
}

/// The head of the request: what follows an empty line is not looked at.
fn head(data: &[u8]) -> &[u8] {
    let start = data.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(data.len());
    let rest = data.get(start..).unwrap_or_default();
    let ends = [&b"\r\n\r\n"[..], b"\n\n", b"\n\r\n"].map(|end| rest.windows(end.len()).position(|part| part == end));
    let end = ends.into_iter().flatten().min().unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Whoever asks is answered once at the most, and told nothing that only the awaited one may know.
fn is_no_other_answer(output: &[u8], taken: bool) {
    let text = String::from_utf8_lossy(output);
    assert!(text.matches("HTTP/1.").count() <= 1, "{text}");
    assert!(taken || !text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(!text.contains(STATE), "{text}");
}

/// A connection whose other side has said all that it will.
struct Stream<'a> {
    input: &'a [u8],
    output: Vec<u8>,
}

impl AsyncRead for Stream<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (now, later) = this.input.split_at(this.input.len().min(buffer.remaining()));
        buffer.put_slice(now);
        this.input = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
