//! A browser without a screen: keeps a diary of what it was told to open, and follows it when the person would.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::wait::eventually;

/// How many redirects are followed: authorization, login page and back are three.
const REDIRECTS: u32 = 6;
/// How long a page may take: as long as a person waits for one.
const PAGE_WITHIN: Duration = Duration::from_secs(30);
/// How long a held browser waits to be let go.
const HELD_FOR: Duration = Duration::from_secs(60);

/// What the person does with an opened window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Signs in at once.
    Follow,
    /// Waits until another mode is set.
    Hold,
    /// Closes it.
    Ignore,
    /// There is no window: the program fails.
    Fail,
}

impl Mode {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Follow, "follow"), (Self::Hold, "hold"), (Self::Ignore, "ignore"), (Self::Fail, "fail")];
}

/// The diary of one world's browser.
#[derive(Debug, Clone)]
pub struct Browser {
    directory: PathBuf,
}

impl Browser {
    /// Opens the diary in a directory.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// Says what the person does from now on.
    pub fn set(&self, mode: Mode) {
        let word = Mode::ALL.iter().find(|(known, _)| *known == mode).map(|(_, word)| *word).unwrap();
        let arriving = self.directory.join("mode.new");
        fs::write(&arriving, word).unwrap();
        fs::rename(arriving, self.directory.join("mode")).unwrap();
    }

    fn mode(&self) -> Mode {
        let word = fs::read_to_string(self.directory.join("mode")).unwrap_or_default();
        Mode::ALL.iter().find(|(_, known)| *known == word).map_or(Mode::Ignore, |(mode, _)| *mode)
    }

    /// The URLs that were opened.
    pub fn opened(&self) -> Vec<String> {
        self.lines("opened")
    }

    /// The pages that came last, one a line.
    pub fn pages(&self) -> Vec<String> {
        self.lines("pages")
    }

    fn lines(&self, file: &str) -> Vec<String> {
        fs::read_to_string(self.directory.join(file)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn note(&self, file: &str, line: &str) {
        let mut diary = fs::OpenOptions::new().create(true).append(true).open(self.directory.join(file)).unwrap();
        diary.write_all(format!("{}\n", line.replace('\n', " ")).as_bytes()).unwrap();
    }

    /// What the launcher does: notes the URL and gives what the person is going to do.
    pub fn launch(&self, url: &str) -> Mode {
        self.note("opened", url);
        self.mode()
    }

    /// What the window does: follows the URL once the person lets it.
    pub fn show(&self, url: &str) {
        let mode =
            eventually(HELD_FOR, "the window is let go", || Some(self.mode()).filter(|mode| *mode != Mode::Hold));
        if mode == Mode::Follow {
            let page = follow(url).map_or_else(|error| error.to_string(), |(status, page)| format!("{status} {page}"));
            self.note("pages", &page);
        }
    }
}

/// Gets a page of the loopback as a browser does, over redirects; gives the last status and body.
///
/// Errors: nobody answers, or a redirect leads away from the loopback.
pub fn follow(url: &str) -> std::io::Result<(u16, String)> {
    let mut place = Url::parse(url).map_err(|error| std::io::Error::new(ErrorKind::InvalidInput, error))?;
    for _ in 0..REDIRECTS {
        let (status, headers, body) = get(&place, "")?;
        match headers.iter().find(|(name, _)| name == "location") {
            Some((_, next)) if (300..400).contains(&status) => {
                place = place.join(next).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))?;
            }
            _ => return Ok((status, body)),
        }
    }
    Err(std::io::Error::other("too many redirects"))
}

type Page = (u16, Vec<(String, String)>, String);

/// Where a page sends its visitor.
///
/// Errors: nobody answers, or it sends nowhere.
pub fn redirect_of(url: &str) -> std::io::Result<String> {
    let place = Url::parse(url).map_err(|error| std::io::Error::new(ErrorKind::InvalidInput, error))?;
    let (_, headers, _) = get(&place, "")?;
    let next = headers.into_iter().find(|(name, _)| name == "location").map(|(_, next)| next);
    next.ok_or_else(|| std::io::Error::from(ErrorKind::NotFound))
}

/// Asks a page of the loopback with a bearer token; gives the status.
///
/// Errors: nobody answers.
pub fn status_with(url: &str, bearer: &str) -> std::io::Result<u16> {
    let place = Url::parse(url).map_err(|error| std::io::Error::new(ErrorKind::InvalidInput, error))?;
    get(&place, &format!("Authorization: Bearer {bearer}\r\n")).map(|(status, ..)| status)
}

fn get(url: &Url, fields: &str) -> std::io::Result<Page> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let mut stream = connect(host, port)?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nAccept: text/html\r\n{fields}\r\n"
    )?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::from(ErrorKind::UnexpectedEof))?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Ok((status, headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(), body.to_owned()))
}

/// `localhost` is tried as `::1` first, as browsers do.
fn connect(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut places: Vec<_> = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.collect();
    places.retain(|place| place.ip().is_loopback());
    places.sort_by_key(|place| matches!(place.ip(), IpAddr::V4(_)));
    let stream = TcpStream::connect(places.as_slice())?;
    stream.set_read_timeout(Some(PAGE_WITHIN))?;
    Ok(stream)
}
