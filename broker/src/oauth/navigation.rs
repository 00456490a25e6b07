//! Tells a browser's navigation to the redirect URI from everything else that reaches the port. Pure. Follows RFC 8252 section 8.3.

use hyper::Method;
use hyper::header::{HOST, HeaderMap, ORIGIN};

use crate::config::Tenant;

/// Whether a request is a browser's own navigation to the redirect URI, and not a page's script, an image or a rebound name.
pub(super) fn is_navigation(method: &Method, path: &str, headers: &HeaderMap, tenant: &Tenant) -> bool {
    let uri = &tenant.entry.redirect_uri;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    method == Method::GET
        && path == uri.path
        && header(HOST.as_str()).is_some_and(|host| host.eq_ignore_ascii_case(&uri.host))
        && !headers.contains_key(ORIGIN)
        && header("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
        && header("sec-fetch-dest").is_none_or(|dest| dest == "document")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hyper::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::{Config, resolve};

    #[test]
    fn only_a_navigation_to_the_redirect_uri_is_looked_at() {
        let tenant = resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap();
        let good = ("host", "localhost:3000");
        type Case<'a> = (Method, &'a str, &'a [(&'static str, &'static str)], bool);
        let cases: [Case<'_>; 11] = [
            (Method::GET, "/", &[good], true),
            (
                Method::GET,
                "/",
                &[("host", "LOCALHOST:3000"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
                true,
            ),
            (Method::POST, "/", &[good], false),
            (Method::HEAD, "/", &[good], false),
            (Method::GET, "/other", &[good], false),
            (Method::GET, "/", &[], false),
            (Method::GET, "/", &[("host", "rebind.test:3000")], false),
            (Method::GET, "/", &[("host", "localhost")], false),
            (Method::GET, "/", &[good, ("origin", "null")], false),
            (Method::GET, "/", &[good, ("sec-fetch-mode", "no-cors")], false),
            (Method::GET, "/", &[good, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false),
        ];

        for (method, path, headers, wanted) in cases {
            let map = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(is_navigation(&method, path, &map, &tenant), wanted, "{method} {path} {headers:?}");
        }
    }
}
