//! Many contenders for one socket at once, from every state in which it may have been left: never two owners.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use aic_proto::endpoint::Endpoint;
use aic_proto::transport::{self, Error};

use tokio::runtime::Runtime;

use super::plan::Chance;
use crate::harness::{Builder, Running, SOON, eventually};

/// How many want the socket at once.
pub const CONTENDERS: usize = 16;
/// How long a queue of connections may take to be full.
const FULL_WITHIN: usize = 10_000;
/// How often in a row a contender clears the place away.
const CLEARINGS: usize = 8;

/// In which state the socket's name was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// There is nothing, not even the directory.
    Nothing,
    /// A socket that nobody listens on.
    Stale,
    /// A file.
    File,
    /// An empty directory.
    Directory,
    /// A directory with somebody's file in it.
    Filled,
    /// A symbolic link to nowhere.
    Dangling,
    /// A socket that somebody listens on without the lock, with a full queue of connections.
    FullQueue,
}

impl Left {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Nothing, Self::Stale, Self::File, Self::Directory, Self::Filled, Self::Dangling, Self::FullQueue];

    /// How many owners a race from here has.
    fn owners(self) -> usize {
        usize::from(self != Self::Filled)
    }
}

/// What came of all races.
#[derive(Debug, Default)]
pub struct Report {
    /// Races and owners in all, by the state that was found.
    pub races: BTreeMap<Left, (usize, usize)>,
    /// How many contenders each race had.
    pub contenders: usize,
    /// The most owners that one race had.
    pub most_owners: usize,
    /// Races in which somebody lost for another reason than that there is an owner.
    pub others: BTreeMap<String, usize>,
    /// Owners that could not be reached.
    pub unreachable: usize,
}

impl Report {
    /// One owner each time, who is reached; only what is in the way with a content is refused by all.
    pub fn is_good(&self) -> bool {
        let one_each = self.races.iter().all(|(left, (races, owners))| *owners == races * left.owners());
        one_each && self.most_owners <= 1 && self.unreachable == 0
    }

    /// Never two owners, the one is reached, and nobody met anything but another.
    pub fn is_safe(&self) -> bool {
        self.most_owners <= 1 && self.unreachable == 0 && self.others.is_empty()
    }
}

/// What one contender came to.
enum Came {
    Owner { _held: Box<transport::Claim> },
    Second,
    Refused(String),
}

/// Races of contenders in this process: each opens its own files, and a lock belongs to an open file.
pub fn run(races: usize, contenders: usize, seed: u64) -> Report {
    race_of(races, &vec![claims as Deed; contenders], &Left::ALL, seed)
}

/// Races in which every other contender clears the place away, as `uninstall` does: there may be no owner, and never two.
pub fn while_cleared(races: usize, contenders: usize, seed: u64) -> Report {
    let deeds: Vec<Deed> =
        (0..contenders).map(|number| if number % 2 == 0 { claims } else { clears } as Deed).collect();
    race_of(races, &deeds, &[Left::Nothing, Left::Stale], seed)
}

fn race_of(races: usize, deeds: &[Deed], states: &[Left], seed: u64) -> Report {
    let place = private_root("races");
    let mut chance = Chance::new(seed);
    let mut report = Report { contenders: deeds.len(), ..Report::default() };
    let ring = Arc::new(Ring::new(deeds.len()));
    let threads: Vec<_> = deeds.iter().map(|deed| Ring::join(&ring, *deed)).collect();
    for race in 0..races {
        let left = states[usize::try_from(chance.below(states.len() as u64)).unwrap()];
        let run = place.join(format!("run{race}"));
        let kept = leave(&run, left);
        let came = ring.race(&run);
        note(&mut report, left, came, &run);
        drop(kept);
        let _ = std::fs::remove_dir_all(&run);
    }
    ring.end();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let _ = std::fs::remove_dir_all(place);
    report
}

/// What a contender does with the place.
type Deed = fn(&Endpoint, &Runtime) -> Came;

fn claims(endpoint: &Endpoint, runtime: &Runtime) -> Came {
    let _inside = runtime.enter();
    came(transport::claim(endpoint).map(|claim| Came::Owner { _held: Box::new(claim) }))
}

/// More than once, so that some are in the midst of it whenever somebody claims.
fn clears(endpoint: &Endpoint, runtime: &Runtime) -> Came {
    let clearings = (0..CLEARINGS).map(|_| runtime.block_on(transport::clear(endpoint, &[])));
    came(clearings.map(|cleared| cleared.map(|_| Came::Second)).collect::<Result<Vec<_>, _>>().map(|_| Came::Second))
}

fn came(done: Result<Came, Error>) -> Came {
    match done {
        Ok(came) => came,
        Err(Error::Owned(_)) => Came::Second,
        Err(error) => Came::Refused(words_of(&error)),
    }
}

fn note(report: &mut Report, left: Left, came: Vec<Came>, run: &Path) {
    let owners = came.iter().filter(|came| matches!(came, Came::Owner { .. })).count();
    let entry = report.races.entry(left).or_default();
    *entry = (entry.0 + 1, entry.1 + owners);
    report.most_owners = report.most_owners.max(owners);
    if owners == 1 && UnixStream::connect(run.join("broker.sock")).is_err() {
        report.unreachable += 1;
    }
    for came in came {
        if let Came::Refused(words) = came {
            *report.others.entry(words).or_default() += 1;
        }
    }
}

/// Threads that wait at a line and start together.
struct Ring {
    line: Barrier,
    place: Mutex<Option<PathBuf>>,
    came: Mutex<Vec<Came>>,
}

impl Ring {
    fn new(contenders: usize) -> Self {
        Self { line: Barrier::new(contenders + 1), place: Mutex::default(), came: Mutex::default() }
    }

    fn join(ring: &Arc<Self>, deed: Deed) -> std::thread::JoinHandle<()> {
        let ring = Arc::clone(ring);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            loop {
                ring.line.wait();
                let Some(place) = ring.place.lock().unwrap().clone() else { return };
                let came = deed(&Endpoint::in_directory(place), &runtime);
                ring.came.lock().unwrap().push(came);
                ring.line.wait();
            }
        })
    }

    fn race(&self, run: &Path) -> Vec<Came> {
        *self.place.lock().unwrap() = Some(run.to_path_buf());
        self.line.wait();
        self.line.wait();
        std::mem::take(&mut *self.came.lock().unwrap())
    }

    fn end(&self) {
        *self.place.lock().unwrap() = None;
        self.line.wait();
    }
}

fn words_of(error: &Error) -> String {
    match error {
        Error::Io { doing, cause, .. } => format!("{doing}: {}", cause.kind()),
        other => other.to_string(),
    }
}

/// What must live as long as the race lasts.
type Kept = (Option<UnixListener>, Vec<UnixStream>);

fn leave(run: &Path, left: Left) -> Kept {
    if left == Left::Nothing {
        return Kept::default();
    }
    private(run);
    let socket = run.join("broker.sock");
    match left {
        Left::Nothing => {}
        Left::Stale => drop(UnixListener::bind(&socket).unwrap()),
        Left::File => std::fs::write(&socket, "left").unwrap(),
        Left::Directory => std::fs::create_dir(&socket).unwrap(),
        Left::Filled => {
            std::fs::create_dir(&socket).unwrap();
            std::fs::write(socket.join("kept"), "somebody's").unwrap();
        }
        Left::Dangling => symlink(run.join("nowhere"), &socket).unwrap(),
        Left::FullQueue => return full_queue(&socket),
    }
    Kept::default()
}

fn full_queue(socket: &Path) -> Kept {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};
    let of = || socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    let (listener, address) = (of(), SocketAddrUnix::new(socket).unwrap());
    bind(&listener, &address).unwrap();
    listen(&listener, 1).unwrap();
    let mut queued = Vec::new();
    for _ in 0..FULL_WITHIN {
        let stream = of();
        if connect(&stream, &address).is_err() {
            return (Some(UnixListener::from(listener)), queued);
        }
        queued.push(UnixStream::from(stream));
    }
    panic!("a queue of one was never full");
}

/// Races of real `aic-broker serve` programs.
pub fn with_brokers(races: usize, contenders: usize, seed: u64) -> Report {
    let mut chance = Chance::new(seed);
    let mut report = Report { contenders, ..Report::default() };
    let world = Builder::new(super::programs()).build();
    for _ in 0..races {
        let left = Left::ALL[usize::try_from(chance.below(Left::ALL.len() as u64)).unwrap()];
        let _ = std::fs::remove_dir_all(&world.place.run);
        let kept = leave(&world.place.run, left);
        let mut running: Vec<Running> = (0..contenders).map(|_| world.begin(&["serve"])).collect();
        let wanted = left.owners();
        eventually(SOON, "the others leave", || (alive(&mut running) <= wanted).then_some(()));
        let owners = alive(&mut running);
        if wanted == 1 {
            eventually(SOON, "the owner answers", || world.status());
        }
        let entry = report.races.entry(left).or_default();
        *entry = (entry.0 + 1, entry.1 + owners);
        report.most_owners = report.most_owners.max(owners);
        drop(kept);
    }
    report
}

fn alive(running: &mut [Running]) -> usize {
    running.iter_mut().map(|broker| usize::from(broker.runs())).sum()
}

static ROOTS: AtomicUsize = AtomicUsize::new(0);

fn private_root(name: &str) -> PathBuf {
    let number = ROOTS.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("aicf-{name}-{}-{number}", std::process::id()));
    private(&root);
    root
}

fn private(directory: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(directory).unwrap();
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let races: usize = self.races.values().map(|(races, _)| races).sum();
        writeln!(f, "{races} races of {} contenders", self.contenders)?;
        for (left, (races, owners)) in &self.races {
            writeln!(f, "  {:10} {races:6} races, {owners:6} owners", format!("{left:?}"))?;
        }
        for (words, count) in &self.others {
            writeln!(f, "  {count} contenders refused: {words}")?;
        }
        write!(f, "most owners of one race: {}; owners not reached: {}", self.most_owners, self.unreachable)
    }
}
