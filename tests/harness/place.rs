//! The directories and ports of one world.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// The first port that is handed out and how many there are: below the range from which the OS takes ports of its own.
const PORTS: (u16, u16) = (12_000, 18_000);

/// The directories of one world; removed with it.
#[derive(Debug)]
pub struct Place {
    /// Above all others. Short, because a socket's path may have 108 bytes.
    pub root: PathBuf,
    /// Where the programs are, under their own names.
    pub programs: PathBuf,
    /// The user's home.
    pub home: PathBuf,
    /// The directory of the socket.
    pub run: PathBuf,
    /// The directory of the audit log.
    pub state: PathBuf,
    /// The directory of the configuration.
    pub config: PathBuf,
    /// The browser's diary: it holds what a browser sees, so no leak is searched for in it.
    pub browser: PathBuf,
}

impl Place {
    /// Makes the directories, each with mode 0700.
    pub fn make() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("aicw-{}-{number}", std::process::id()));
        let of = |name: &str| private_directory(&root.join(name));
        private_directory(&root);
        let [programs, home, run, state, config, browser] =
            ["bin", "home", "run", "state", "config", "browser"].map(of);
        Self { root, programs, home, run, state, config, browser }
    }

    /// The configuration's file.
    pub fn configuration(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.run.join("broker.sock")
    }

    /// The audit log.
    pub fn audit(&self) -> PathBuf {
        self.state.join("audit.jsonl")
    }

    /// Gives everything in it to another user.
    pub fn give_to(&self, uid: u32) {
        let directories = [&self.root, &self.programs, &self.home, &self.run, &self.state, &self.config, &self.browser];
        let files = fs::read_dir(&self.browser).unwrap().flatten().map(|entry| entry.path());
        for path in directories.into_iter().cloned().chain([self.configuration()]).chain(files) {
            chown(&path, Some(uid), Some(uid)).unwrap();
        }
    }

    /// Puts a program into the world under another name: a hard link, so that it starts its siblings of this world.
    pub fn install(&self, program: &Path, name: &str) -> PathBuf {
        let place = self.programs.join(name);
        match fs::hard_link(program, &place) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => drop(fs::copy(program, &place).unwrap()),
            linked => linked.unwrap(),
        }
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Makes a directory with mode 0700.
pub fn private_directory(path: &Path) -> PathBuf {
    fs::DirBuilder::new().mode(0o700).create(path).unwrap();
    path.to_path_buf()
}

/// The permission bits of a name, without following links.
pub fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// A loopback port that nobody uses and that no other test is given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, count) = PORTS;
    let start = u16::try_from(std::process::id() % u32::from(count)).unwrap();
    loop {
        let port = first + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count);
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        let taken = |bound: &std::io::Result<TcpListener>| {
            bound.as_ref().is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
        };
        if !taken(&four) && !taken(&six) {
            return port;
        }
    }
}
