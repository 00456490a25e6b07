//! The header fields that every answer of a product part has. Follows what recordings of a tenant show.

use super::reply::{Body, Part, Reply};

/// Fields of the edge, on every answer.
const EDGE: &[(&str, &str)] = &[
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload;"),
    ("x-robots-tag", "none"),
    ("via", "1.1 google"),
];

/// Fields that AM and IDM share.
const CREST: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none';frame-ancestors 'none';sandbox"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("expires", "0"),
    ("pragma", "no-cache"),
];

const AM: &[(&str, &str)] = &[("cache-control", "private"), ("x-frame-options", "SAMEORIGIN")];
const IDM: &[(&str, &str)] = &[("cache-control", "no-store"), ("vary", "Origin"), ("x-frame-options", "DENY")];
const OAUTH: &[(&str, &str)] = &[
    ("content-security-policy", "frame-ancestors 'self'"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
];

/// Adds a part's fields to an answer; what the handler set wins.
pub fn dress(part: Part, mut reply: Reply) -> Reply {
    let sets: &[&[(&str, &str)]] = match part {
        Part::OAuth => &[EDGE, OAUTH],
        Part::Am => &[EDGE, CREST, AM],
        Part::Idm => &[EDGE, CREST, IDM],
        Part::Environment | Part::Gateway | Part::Edge => &[EDGE],
    };
    let kind = matches!(reply.body, Body::Json(_)).then_some(("content-type", content_type(part)));
    for (name, value) in sets.iter().copied().flatten().copied().chain(kind) {
        if reply.header(name).is_none() {
            reply.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    reply
}

fn content_type(part: Part) -> &'static str {
    match part {
        Part::OAuth | Part::Am | Part::Edge => "application/json;charset=UTF-8",
        Part::Idm => "application/json;charset=utf-8",
        Part::Environment => "application/json",
        Part::Gateway => "application/json; charset=utf-8",
    }
}
