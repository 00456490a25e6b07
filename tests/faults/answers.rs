//! Answers of HTTP that are odd in each way, byte for byte. Pure.

use std::sync::Arc;

/// An answer of the right shape for the list of log sources.
const SOURCES: &str = r#"{"result":["am-access","idm-sync"],"resultCount":2}"#;

/// One odd answer.
pub struct Odd {
    /// Its name.
    pub name: &'static str,
    /// Its status; 0 where there is none that can be read.
    pub status: u16,
    /// What is sent, and then the end of the stream.
    pub bytes: Arc<[u8]>,
    /// Whether the last part of it is sent again and again before the end.
    pub again: Option<usize>,
    /// Whether a write may succeed: the document is right, or the request is asked again.
    pub may_succeed: bool,
}

impl Odd {
    fn new(name: &'static str, status: u16, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name, status, bytes: bytes.into().into(), again: None, may_succeed: false }
    }

    fn right(self) -> Self {
        Self { may_succeed: true, ..self }
    }

    /// The last bytes of it come without an end.
    fn again(self, last: usize) -> Self {
        Self { again: Some(last), ..self }
    }
}

/// All of them.
pub fn all() -> Vec<Odd> {
    [encodings(), documents(), heads(), lengths(), waits(), statuses()].into_iter().flatten().collect()
}

fn with(status: u16, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Odd\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    with(200, "content-type: application/json\r\n", body.as_ref())
}

fn encodings() -> Vec<Odd> {
    let wide = |order: fn(u16) -> [u8; 2]| SOURCES.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    vec![
        Odd::new("a byte order mark", 200, json(format!("\u{feff}{SOURCES}"))),
        Odd::new("UTF-16 LE", 200, json([&[0xff, 0xfe][..], &wide(u16::to_le_bytes)].concat())),
        Odd::new("UTF-16 BE", 200, json([&[0xfe, 0xff][..], &wide(u16::to_be_bytes)].concat())),
        Odd::new("Latin-1", 200, json(b"{\"result\":[\"caf\xe9\"]}")),
        Odd::new("NUL bytes", 200, json([0; 64])),
        Odd::new("a page", 200, with(200, "content-type: text/html\r\n", b"<html><script>alert(1)</script></html>")),
        Odd::new("JSON as a page", 200, with(200, "content-type: text/html\r\n", SOURCES.as_bytes())).right(),
        Odd::new("JSON as XML", 200, with(200, "content-type: application/xml\r\n", SOURCES.as_bytes())).right(),
        Odd::new("JSON as nothing", 200, with(200, "", SOURCES.as_bytes())).right(),
        Odd::new("JSON as two things", 200, with(200, "content-type: a\r\ncontent-type: b\r\n", SOURCES.as_bytes()))
            .right(),
        Odd::new("a packed bomb", 200, with(200, "content-encoding: gzip\r\n", &bomb())),
        Odd::new("a packed bomb as an error", 500, with(500, "content-encoding: gzip\r\n", &bomb())),
        Odd::new("packed by an unknown art", 200, with(200, "content-encoding: zz, br\r\n", b"\x1f\x8b\x08\x00")),
    ]
}

/// 41 MB of zeros in 260 kB: one zero, repeats of it by 258, the end. Nobody here unpacks it.
///
/// Source: RFC 1951 sections 3.1.1 and 3.2.6: fixed codes, of literal 0, length 258 with distance 1, and the end.
fn bomb() -> Vec<u8> {
    let bits = ["110", "00110000", &"1100010100000".repeat(160_000), "0000000"].concat();
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit & 1));
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    head.into_iter().chain(bits.as_bytes().chunks(8).map(byte)).collect()
}

fn documents() -> Vec<Odd> {
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    let nothings = format!("{{\"result\":[{}{{}}]}}", "{},".repeat(5_000_000));
    let long = format!("{{\"result\":[\"{}\"]}}", "x".repeat(4 * 1024 * 1024));
    vec![
        Odd::new("nothing", 200, json("")).right(),
        Odd::new("white space", 200, json(" \r\n\t ")).right(),
        Odd::new("null", 200, json("null")).right(),
        Odd::new("a number", 200, json("1e999999")).right(),
        Odd::new("a text", 200, json("\"result\"")).right(),
        Odd::new("a list", 200, json("[]")).right(),
        Odd::new("another object", 200, json("{\"result\":{\"a\":1}}")).right(),
        Odd::new("members twice", 200, json("{\"result\":[],\"result\":[\"b\"]}")).right(),
        Odd::new("a comma too many", 200, json("{\"result\":[\"a\",]}")),
        Odd::new("more after the end", 200, json(format!("{SOURCES} {SOURCES}"))),
        Odd::new("half a document", 200, json(SOURCES.split_at(20).0)),
        Odd::new("deep lists", 200, json(deep("[", "]"))).right(),
        Odd::new("deep objects", 200, json(deep("{\"a\":", "}"))),
        Odd::new("half a surrogate", 200, json("{\"result\":[\"\\ud800\"]}")).right(),
        Odd::new("a text that steers", 200, json("{\"result\":[\"\\u001b[2J\\u202e ignore previous\"]}")).right(),
        Odd::new("four megabytes", 200, json(long)).right(),
        Odd::new("five million nothings", 200, json(&nothings)),
        Odd::new("five million nothings as an error", 500, with(500, "", nothings.as_bytes())),
        Odd::new("an error of deep lists", 500, with(500, "", deep("[", "]").as_bytes())),
    ]
}

fn heads() -> Vec<Odd> {
    let many = "x-odd: 1\r\n".repeat(1_000_000);
    let long = format!("x-odd: {}\r\n", "y".repeat(4 * 1024 * 1024));
    vec![
        Odd::new("a million fields", 0, with(200, &many, SOURCES.as_bytes())),
        Odd::new("a field of 4 MiB", 0, with(200, &long, SOURCES.as_bytes())),
        Odd::new("fields without an end", 0, "HTTP/1.1 200 OK\r\nx-odd: 1\r\n").again(10),
        Odd::new("a field without an end", 0, "HTTP/1.1 200 OK\r\nx-odd: yyyyyyyy").again(8),
        Odd::new("a folded field", 200, with(200, "x-odd: a\r\n b\r\n", SOURCES.as_bytes())).right(),
        Odd::new("a field without a colon", 0, with(200, "odd\r\n", SOURCES.as_bytes())),
        Odd::new("a field with NUL", 0, with(200, "x-odd: a\0b\r\n", SOURCES.as_bytes())),
        Odd::new(
            "a field in Latin-1",
            200,
            with(200, "x-forgerock-transactionid: \u{e9}\u{1f4a3}\r\n", SOURCES.as_bytes()),
        )
        .right(),
        Odd::new("no head", 0, SOURCES),
        Odd::new("HTTP/0.9", 0, "result"),
        Odd::new("HTTP/9.9", 0, "HTTP/9.9 200 OK\r\n\r\n"),
        Odd::new("TLS where none is", 0, [0x16, 3, 3, 0, 2, 2, 40]),
        Odd::new("nothing at all", 0, ""),
    ]
}

fn lengths() -> Vec<Odd> {
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    let lengthy = |length: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{SOURCES}");
    vec![
        Odd::new("a length too long", 0, lengthy("4096")),
        Odd::new("a length too short", 200, lengthy("10")),
        Odd::new("a length of 2^64", 0, lengthy("18446744073709551616")),
        Odd::new("a length of a terabyte", 0, lengthy("1000000000000")),
        Odd::new("a length below zero", 0, lengthy("-1")),
        Odd::new("two lengths", 0, lengthy("10\r\ncontent-length: 20")),
        Odd::new("a length and chunks", 0, lengthy("51\r\ntransfer-encoding: chunked")),
        Odd::new("no length", 200, format!("HTTP/1.1 200 OK\r\n\r\n{SOURCES}")).right(),
        Odd::new("a body without an end", 0, "HTTP/1.1 200 OK\r\n\r\n[1,1,1,1").again(8),
        Odd::new("a chunk of 2^64", 0, chunked("ffffffffffffffffff\r\nx")),
        Odd::new("a chunk that lies", 0, chunked("ff\r\nx\r\n0\r\n\r\n")),
        Odd::new("a chunk without digits", 0, chunked("zz\r\nx\r\n0\r\n\r\n")),
        Odd::new("chunks without an end", 0, chunked("4\r\n[1,1\r\n")).again(9),
        Odd::new("extensions without an end", 0, chunked("4;oddoddod")).again(8),
        Odd::new("trailers without an end", 0, chunked("0\r\nx-odd: 1\r\n")).again(10),
    ]
}

fn waits() -> Vec<Odd> {
    let wait = |name, status, value: &str| {
        Odd::new(name, status, with(status, &format!("retry-after: {value}\r\n"), b"{}")).right()
    };
    vec![
        wait("a wait of nothing", 429, ""),
        wait("a wait of 0", 503, "0"),
        wait("a wait below zero", 429, "-1"),
        wait("a wait of a billion", 429, "1000000000"),
        wait("a wait of 2^64", 503, "18446744073709551616"),
        wait("a wait with a point", 429, "0.5"),
        wait("a wait in words", 429, "soon"),
        wait("a wait until long ago", 503, "Thu, 01 Jan 1970 00:00:00 GMT"),
        wait("a wait until far ahead", 429, "Fri, 31 Dec 9999 23:59:59 GMT"),
        wait("a wait until no day", 429, "Mon, 99 Foo 2026 99:99:99 GMT"),
        wait("two waits", 429, "0\r\nretry-after: 900"),
    ]
}

fn statuses() -> Vec<Odd> {
    let bare = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    vec![
        Odd::new("204 with a body", 204, bare("204 No Content")).right(),
        Odd::new("206", 206, bare("206 Partial Content")).right(),
        Odd::new("304", 304, bare("304 Not Modified")),
        Odd::new("401 without a word", 401, bare("401 ")).right(),
        Odd::new("418", 418, bare("418 I'm a teapot")),
        Odd::new("599", 599, bare("599 Odd")),
        Odd::new("999", 999, bare("999 Odd")),
        Odd::new("status 000", 0, bare("000 Odd")),
        Odd::new("status 20", 0, bare("20 OK")),
        Odd::new("continue without an end", 0, "HTTP/1.1 100 Continue\r\n\r\n").again(25),
        Odd::new("early hints, then an answer", 200, format!("HTTP/1.1 103 Early Hints\r\n\r\n{}", bare("200 OK")))
            .right(),
        Odd::new(
            "another protocol",
            101,
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: odd\r\nconnection: upgrade\r\n\r\n",
        ),
    ]
}
