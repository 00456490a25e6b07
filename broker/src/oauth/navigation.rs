//! Tells a browser's navigation to the redirect URI from everything else that reaches the port. Pure. Follows RFC 8252 section 8.3.

use hyper::Method;
use hyper::header::{HOST, HeaderMap, ORIGIN};

use crate::config::Tenant;

/// Whether a request is a browser's own navigation to the redirect URI, and not a page's script, an image or a rebound name.
pub(super) fn is_navigation(method: &Method, path: &str, headers: &HeaderMap, tenant: &Tenant) -> bool {
    let uri = &tenant.entry.redirect_uri;
    let all =
        |name: &str, fits: &dyn Fn(&[u8]) -> bool| headers.get_all(name).iter().all(|value| fits(value.as_bytes()));
    method == Method::GET
        && path == uri.path
        && headers.get_all(HOST).iter().count() == 1
        && all(HOST.as_str(), &|host| host.eq_ignore_ascii_case(uri.host.as_bytes()))
        && !headers.contains_key(ORIGIN)
        && all("sec-fetch-mode", &|mode| mode == b"navigate")
        && all("sec-fetch-dest", &|dest| dest == b"document")
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
        let cases: [Case<'_>; 14] = [
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
            (Method::GET, "/", &[good, good], false),
            (Method::GET, "/", &[good, ("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "no-cors")], false),
            (Method::GET, "/", &[good, ("sec-fetch-dest", "document"), ("sec-fetch-dest", "image")], false),
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
