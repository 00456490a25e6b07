//! Pages, sorts and counts the results of a query. Pure.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pointer;
use crate::tenant::request::Request;

/// How a part of the product pages.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// A full last page has a cookie all the same.
    pub cookie_on_full_last_page: bool,
    /// Cookies are percent-encoded in JSON.
    pub cookie_percent_encoded: bool,
    /// An exact total is given when it is asked for.
    pub exact_totals: bool,
    /// Pages when no size is asked for; none means everything in one.
    pub default_size: Option<usize>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    size: Option<usize>,
    start: usize,
    sort: Vec<(Vec<String>, bool)>,
    exact: bool,
    seal: String,
}

/// Reads the paging parameters.
///
/// Errors: a text for a 400: no integer, a foreign cookie, cookie and offset together.
pub fn read(request: &Request) -> Result<Ask, String> {
    let size = integer(request, "_pageSize")?;
    let offset = integer(request, "_pagedResultsOffset")?;
    let cookie = request.query("_pagedResultsCookie").filter(|cookie| !cookie.is_empty());
    if cookie.is_some() && offset.is_some_and(|offset| offset > 0) {
        return Err("The parameters _pagedResultsCookie and _pagedResultsOffset are mutually exclusive".to_owned());
    }
    let sort_text = request.query("_sortKeys").unwrap_or_default();
    let seal = format!("{}|{sort_text}", request.query("_queryFilter").unwrap_or_default());
    let start = match cookie {
        Some(cookie) => open_cookie(cookie, &seal).ok_or("Invalid paged results cookie")?,
        None => offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0),
    };
    let exact = request.query("_totalPagedResultsPolicy").is_some_and(|policy| policy.eq_ignore_ascii_case("EXACT"));
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    Ok(Ask { size, start, sort: sort_keys(sort_text), exact, seal })
}

fn integer(request: &Request, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = request.query(name) else { return Ok(None) };
    let fault = || format!("The value '{text}' for parameter '{name}' could not be parsed as a valid integer");
    text.parse().map(Some).map_err(|_| fault())
}

fn sort_keys(text: &str) -> Vec<(Vec<String>, bool)> {
    let key = |key: &str| match key.strip_prefix('-') {
        Some(name) => (pointer::names(name), true),
        None => (pointer::names(key.strip_prefix('+').unwrap_or(key)), false),
    };
    text.split(',').filter(|part| !part.is_empty()).map(key).collect()
}

/// Cuts the page out of all matching objects.
///
/// Shape: `{result, resultCount, pagedResultsCookie, totalPagedResultsPolicy, totalPagedResults, remainingPagedResults}`.
pub fn cut(mut all: Vec<Value>, ask: &Ask, manner: Manner) -> Value {
    if !ask.sort.is_empty() {
        all.sort_by(|left, right| order(left, right, &ask.sort));
    }
    let total = all.len();
    let size = ask.size.or(manner.default_size).unwrap_or(total);
    let result: Vec<Value> = all.into_iter().skip(ask.start).take(size).collect();
    let end = ask.start + result.len();
    let full = !result.is_empty() && result.len() == size && (ask.size.is_some() || manner.default_size.is_some());
    let more = full && (end < total || manner.cookie_on_full_last_page);
    let cookie = more.then(|| close_cookie(end, &ask.seal, manner.cookie_percent_encoded));
    let exact = manner.exact_totals && ask.exact;
    json!({
        "resultCount": result.len(),
        "result": result,
        "pagedResultsCookie": cookie,
        "totalPagedResultsPolicy": if exact { "EXACT" } else { "NONE" },
        "totalPagedResults": if exact { json!(total) } else { json!(-1) },
        "remainingPagedResults": -1,
    })
}

fn order(left: &Value, right: &Value, keys: &[(Vec<String>, bool)]) -> Ordering {
    let by_key = |(names, descending): &(Vec<String>, bool)| {
        let order = order_values(pointer::get(left, names), pointer::get(right, names));
        if *descending { order.reverse() } else { order }
    };
    keys.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn order_values(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left, right) {
        (Some(Value::String(left)), Some(Value::String(right))) => left.to_lowercase().cmp(&right.to_lowercase()),
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Some(Value::Bool(left)), Some(Value::Bool(right))) => left.cmp(right),
        (left, right) => {
            right.is_some_and(|value| !value.is_null()).cmp(&left.is_some_and(|value| !value.is_null())).reverse()
        }
    }
}

/// A cookie says where the next page starts and which query it belongs to.
fn close_cookie(start: usize, seal: &str, percent_encoded: bool) -> String {
    let cookie = format!("{}:{start}", STANDARD.encode(checksum(seal).to_be_bytes()));
    if percent_encoded {
        cookie.replace('=', "%3D").replace(':', "%3A").replace('+', "%2B").replace('/', "%2F")
    } else {
        cookie
    }
}

fn open_cookie(cookie: &str, seal: &str) -> Option<usize> {
    let (sum, start) = cookie.split_once(':')?;
    (STANDARD.decode(sum).ok()? == checksum(seal).to_be_bytes()).then(|| start.parse().ok()).flatten()
}

/// FNV-1a: enough to notice a cookie of another query.
pub(super) fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;

    const MANNER: Manner = Manner {
        cookie_on_full_last_page: false,
        cookie_percent_encoded: false,
        exact_totals: true,
        default_size: None,
    };

    fn ask(query: &str) -> Result<Ask, String> {
        read(&Request::new("GET", &format!("/x?{query}"), BTreeMap::new(), Vec::new(), SystemTime::UNIX_EPOCH))
    }

    fn objects() -> Vec<Value> {
        [("b", 2), ("a", 3), ("c", 1)].map(|(name, age)| json!({"name": name, "age": age})).into()
    }

    fn names(page: &Value) -> Vec<&str> {
        page["result"].as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn pages_follow_the_cookie_to_the_end() {
        let first = cut(objects(), &ask("_pageSize=2&_sortKeys=name").unwrap(), MANNER);
        let cookie = first["pagedResultsCookie"].as_str().unwrap();
        let encoded: String = url::form_urlencoded::byte_serialize(cookie.as_bytes()).collect();
        let query = format!("_pageSize=2&_sortKeys=name&_pagedResultsCookie={encoded}");
        let second = cut(objects(), &ask(&query).unwrap(), MANNER);

        assert_eq!(names(&first), ["a", "b"]);
        assert_eq!(names(&second), ["c"]);
        assert_eq!(second["pagedResultsCookie"], Value::Null);
    }

    #[test]
    fn a_full_last_page_may_lead_to_an_empty_one() {
        let manner = Manner { cookie_on_full_last_page: true, cookie_percent_encoded: true, ..MANNER };
        let full = cut(objects(), &ask("_pageSize=3").unwrap(), manner);
        let cookie = full["pagedResultsCookie"].as_str().unwrap();
        let after = cut(objects(), &ask(&format!("_pageSize=3&_pagedResultsCookie={cookie}")).unwrap(), manner);

        assert!(cookie.contains("%3D%3A"));
        assert_eq!(after["resultCount"], 0);
        assert_eq!(after["pagedResultsCookie"], Value::Null);
    }

    #[test]
    fn sizes_offsets_and_totals() {
        let cases = [
            ("", 3, json!(-1)),
            ("_pageSize=-1", 3, json!(-1)),
            ("_pageSize=0", 3, json!(-1)),
            ("_pageSize=2", 2, json!(-1)),
            ("_pagedResultsOffset=2", 1, json!(-1)),
            ("_pagedResultsOffset=9", 0, json!(-1)),
            ("_totalPagedResultsPolicy=EXACT", 3, json!(3)),
        ];
        for (query, count, total) in cases {
            let page = cut(objects(), &ask(query).unwrap(), MANNER);
            assert_eq!(
                (page["resultCount"].clone(), page["totalPagedResults"].clone()),
                (json!(count), total),
                "{query}"
            );
        }
    }

    #[test]
    fn sorting_takes_several_keys_and_both_directions() {
        let cases = [
            ("age", ["c", "b", "a"]),
            ("-age", ["a", "b", "c"]),
            ("%2Bname", ["a", "b", "c"]),
            ("-name", ["c", "b", "a"]),
        ];
        for (keys, expected) in cases {
            let page = cut(objects(), &ask(&format!("_sortKeys={keys}")).unwrap(), MANNER);
            assert_eq!(names(&page), expected, "{keys}");
        }
    }

    #[test]
    fn bad_paging_is_refused() {
        for query in ["_pageSize=ten", "_pagedResultsCookie=forged", "_pagedResultsOffset=x"] {
            assert!(ask(query).is_err(), "{query}");
        }
        let page = cut(objects(), &ask("_pageSize=1&_queryFilter=true").unwrap(), MANNER);
        let cookie = page["pagedResultsCookie"].as_str().unwrap().replace('=', "%3D");
        assert!(ask(&format!("_pagedResultsCookie={cookie}&_queryFilter=false")).is_err(), "another query's cookie");
        assert!(ask(&format!("_pagedResultsCookie={cookie}&_pagedResultsOffset=1&_queryFilter=true")).is_err(), "both");
    }
}
