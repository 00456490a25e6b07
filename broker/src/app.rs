//! Joins the parts: configuration, build (nothing runs yet), run until told, drain with a deadline.

mod record;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aic_proto::catalogue;
use aic_proto::message::How;
use aic_proto::transport::{self, Claim};
use record::Record;
use tokio::sync::{Notify, mpsc, watch};
use url::Url;

use crate::aic::Documents;
use crate::audit::{self, Audit, Entry};
use crate::client::{Broker, Registry};
use crate::clock::{self, Moment};
use crate::config::{Browser, Config, Places};
use crate::guard::Guard;
use crate::guard::repeat::Repeats;
use crate::http::{Http, Settings};
use crate::keychain::Keychain;
use crate::listen::{self, Reason};
use crate::oauth::{Opener, Surroundings};
use crate::os::{self, Desktop, Launcher, Notifier, Program, Service};
use crate::vault::{self, By, Vault};

/// The exit code of a broker that was started by a shim and found another one running.
const ANOTHER_RUNS: u8 = 75;
/// How long the last sign-outs may take before the process ends anyway. With what the last calls may take it is less than
/// the ten seconds for which a call looks for the next broker.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);
/// How long calls that are under way may finish, so that their outcome is on record.
const CALLS_FINISH_WITHIN: Duration = Duration::from_secs(2);
/// The same for a broker that leaves by itself, to a newer one: as long as a call of an editor may take, and some more.
const LAST_CALLS_WITHIN: Duration = Duration::from_secs(60);
/// How long the answer to `stop` may take to reach the one who asked.
const FAREWELL: Duration = Duration::from_millis(50);

impl Opener for Desktop {
    async fn open(&self, url: &Url) -> Result<(), String> {
        Self::open(self, url).await
    }

    fn holder(&self, port: u16) -> Option<String> {
        os::holder_of_port(port)
    }
}

fn launcher(browser: &Browser) -> Launcher {
    match browser {
        Browser::Auto => Launcher::OfDesktop,
        Browser::None => Launcher::Nothing,
        Browser::Program(program, arguments) => Launcher::Program(program.clone(), arguments.clone()),
    }
}

/// How the process came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// A person's shell or the service manager: its environment counts.
    Trusted,
    /// A shim, whose environment an editor's project could set.
    Shim,
    /// Our own command line, in the background.
    Command,
}

impl Starter {
    /// Reads it from the environment.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| value == "1");
        match (is_set("AIC_BROKER_STARTED_BY_SHIM"), is_set("AIC_BROKER_DETACHED")) {
            (true, _) => Self::Shim,
            (false, true) => Self::Command,
            (false, false) => Self::Trusted,
        }
    }
}

/// Runs the daemon until it is told to leave.
pub fn serve(places: &Places, config: Config, starter: Starter) -> ExitCode {
    quiet_panics();
    if starter != Starter::Shim && std::env::var_os(CERTIFICATES).is_some() {
        return fail(1, &format!("starting anew: {}", os::again_with_renamed(CERTIFICATES, OUR_CERTIFICATES)));
    }
    let service = match Service::take() {
        Ok(service) => service,
        Err(reason) => return fail(1, &reason),
    };
    if let Err(error) = os::harden() {
        return fail(1, &format!("this process cannot be protected, so it must not hold tokens: {error}"));
    }
    if !opens_browsers(&config) {
        os::gain_no_privileges();
    }
    if starter != Starter::Trusted {
        os::become_daemon();
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.worker_threads(WORKERS).event_interval(STEPS_BETWEEN_LOOKS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("starting the runtime: {error}")),
    };
    let code = runtime.block_on(live(places, config, starter, service));
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

/// Whether a sign-in may start a browser.
fn opens_browsers(config: &Config) -> bool {
    Desktop::new(launcher(&config.browser)).can_open(|name| std::env::var(name).ok())
}

/// The usual variable. The TLS stack takes its file instead of the OS's store, and it is to be added to it, so the
/// process starts anew with the variable under a name of our own.
pub(crate) const CERTIFICATES: &str = "SSL_CERT_FILE";
/// That name.
pub(crate) const OUR_CERTIFICATES: &str = "AIC_BROKER_SSL_CERT_FILE";

/// How many threads serve: the work is waiting, and a second one would wake for each message and find nothing to do.
/// What computes for long or waits for a disk goes [`aside`](crate::aside).
const WORKERS: usize = 1;
/// How many steps of tasks are made before the sockets are looked at again: with tokio's own 61, a client that floods
/// lets the others wait for that many of its steps, twice a call.
const STEPS_BETWEEN_LOOKS: u32 = 8;

async fn live(places: &Places, config: Config, starter: Starter, mut service: Service) -> ExitCode {
    let claim = match claim(places, &mut service).await {
        Ok(claim) => claim,
        Err(error @ transport::Error::Owned(_)) => {
            let code = if starter == Starter::Shim { ANOTHER_RUNS } else { 1 };
            return fail(code, &format!("{error}. See: aic-broker status"));
        }
        Err(error) => return fail(1, &chain(&error)),
    };
    let (renew, pressed) = mpsc::channel(RENEWALS_WAITING);
    let notifier = if config.notifications() && !in_container() { Notifier::start() } else { Notifier::silent() };
    let told = Told { notifier: notifier.clone(), renew };
    let broker = match build(places, config, starter, &service, told) {
        Ok(broker) => Arc::new(broker),
        Err(reason) => return fail(2, &reason),
    };
    if starter != Starter::Trusted
        && let Err(error) = os::private_directory(&places.state)
            .and_then(|()| os::give_up_standard_error(&places.state.join("broker.log")))
    {
        say(&format!("the log cannot be opened: {error}"));
    }
    if !os::Pages::copy_of(b"probe").is_locked() {
        say("the OS keeps no memory of this process out of swap: tokens may be swapped");
    }
    tokio::spawn(renew_when_pressed(Arc::clone(&broker), pressed));
    run(&broker, claim, &service, &notifier).await
}

/// Whether this is container mode.
fn in_container() -> bool {
    std::env::var("DOCKER_CONTAINER").is_ok_and(|value| value == "true")
}

/// How the person is told of what happens, and how their answer comes.
struct Told {
    notifier: Notifier,
    renew: mpsc::Sender<String>,
}

/// The socket is handed over or made.
async fn claim(places: &Places, service: &mut Service) -> Result<Claim, transport::Error> {
    match service.socket() {
        Some(handed) => transport::adopt(&places.endpoint, handed).await,
        None => transport::claim(&places.endpoint),
    }
}

/// How many presses of a renew button may wait: one a tenant is plenty.
const RENEWALS_WAITING: usize = 8;

/// A person who presses the button signs in anew; calls go on with the old session meanwhile.
async fn renew_when_pressed(broker: Arc<Broker<Desktop>>, mut pressed: mpsc::Receiver<String>) {
    while let Some(name) = pressed.recv().await {
        if let Some(tenant) = broker.vault.tenants().into_iter().find(|tenant| tenant.name == name) {
            let _ = broker.vault.sign_in(&tenant, How::Auto, By::Renewal, false).await;
        }
    }
}

fn build(
    places: &Places,
    config: Config,
    starter: Starter,
    service: &Service,
    told: Told,
) -> Result<Broker<Desktop>, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let container = in_container();
    let http = Http::new(http_settings(&config, starter, &variable)?)?;
    let kept_under = match variable("AIC_BROKER_RUNTIME_DIR") {
        None => "aic-broker".to_owned(),
        Some(place) => format!("aic-broker in {place}"),
    };
    let keychain = Keychain::start(config.keychain, container, kept_under);
    let audit = Arc::new(Audit::in_directory(&places.state));
    let desktop = Desktop::new(launcher(&config.browser)).outside_of(service.is_unit());
    let around = Surroundings { container, can_open: desktop.can_open(variable) };
    let witness = Arc::new(Record { audit: Arc::clone(&audit), notifier: told.notifier, renew: told.renew });
    Ok(Broker {
        vault: Vault::new(vault::Parts {
            http: http.clone(),
            keychain: keychain.clone(),
            opener: desktop,
            around,
            login_timeout: config.login_timeout(),
            witness,
        }),
        config,
        http,
        guard: Guard::default(),
        repeats: repeats(places)?,
        audit,
        keychain,
        documents: Documents::default(),
        registry: Registry::default(),
        paused: AtomicBool::new(false),
        leave: Notify::new(),
        leaving: watch::Sender::new(false),
        other_version: Notify::new(),
        started: Moment::now(),
        state_key: clock::random().map_err(|error| format!("the OS has no randomness: {error}"))?,
    })
}

/// The writes that may have been made; those of an earlier broker are on record.
fn repeats(places: &Places) -> Result<Repeats, String> {
    let repeats = Repeats::in_directory(&places.endpoint.directory)?;
    let now = Moment::now();
    for doubt in audit::in_doubt(&places.state).unwrap_or_default() {
        if let (Some(tool), Some(at)) = (catalogue::find(&doubt.tool), now.before(&doubt.time)) {
            repeats.inherit(&doubt.fingerprint, &doubt.tenant, tool, &doubt.transaction_id, at);
        }
    }
    Ok(repeats)
}

/// Proxies and certificates: the configuration always counts, the environment only when a person or the service manager set it.
fn http_settings(
    config: &Config,
    starter: Starter,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Settings, String> {
    let environment_counts = starter != Starter::Shim;
    let named = variable(OUR_CERTIFICATES).filter(|_| environment_counts).map(PathBuf::from);
    let files = [config.ca_file.clone(), named];
    let read = |file: PathBuf| std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()));
    let extra_roots = files.into_iter().flatten().map(read).collect::<Result<_, _>>()?;
    Ok(Settings { proxy: config.proxy.clone(), extra_roots, environment_proxies: environment_counts })
}

async fn run(broker: &Arc<Broker<Desktop>>, claim: Claim, service: &Service, notifier: &Notifier) -> ExitCode {
    let _ = broker.record(&Entry { event: "start", ..Entry::default() });
    service.ready();
    let program = Program::own();
    let reason = tokio::select! {
        reason = listen::run(broker, &claim, program.as_ref()) => reason,
        () = told_by_the_os() => Reason::Asked,
    };
    broker.begin_to_leave();
    service.status("finishing the calls under way");
    if reason == Reason::Replaced && is_anyone_signed_in(broker).await {
        notifier.show(record::updated());
    }
    tokio::time::sleep(FAREWELL).await;
    let _ = tokio::time::timeout(calls_finish_within(reason), broker.registry.no_calls_under_way()).await;
    service.stopping();
    let tenants = broker.vault.tenants();
    let signing_out = futures_util::future::join_all(tenants.iter().map(|tenant| broker.vault.sign_out(tenant)));
    let _ = tokio::time::timeout(DRAIN_WITHIN, signing_out).await;
    let _ = broker.record(&Entry { event: "stop", outcome: Some(word(reason).to_owned()), ..Entry::default() });
    // until here the name is taken: one broker at a time writes the audit log and has a place in the keychain
    drop(claim);
    ExitCode::SUCCESS
}

async fn is_anyone_signed_in(broker: &Broker<Desktop>) -> bool {
    let tenants = broker.vault.tenants();
    let reports = tenants.iter().map(|tenant| broker.vault.report(tenant));
    futures_util::future::join_all(reports).await.iter().any(|report| report.state == "signed_in")
}

/// Nobody waits for a broker that was replaced; somebody waits for one that was told to leave.
fn calls_finish_within(reason: Reason) -> Duration {
    if reason == Reason::Replaced { LAST_CALLS_WITHIN } else { CALLS_FINISH_WITHIN }
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Asked => "asked to",
        Reason::Idle => "nobody was connected",
        Reason::NameLost => "the socket was taken away",
        Reason::Replaced => "its program was replaced",
    }
}

#[cfg(unix)]
async fn told_by_the_os() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    let first = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(first).await;
}

#[cfg(windows)]
async fn told_by_the_os() {
    let _ = tokio::signal::ctrl_c().await;
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    text
}

/// Standard error is the daemon's log when it is detached. A reader that is gone is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "aic-broker: {text}");
}

/// A panic says where it was and nothing of what it was about: its words could hold a token.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        say(&format!("a fault of its own at {place}"));
    }));
}

fn fail(code: u8, text: &str) -> ExitCode {
    say(text);
    ExitCode::from(code)
}
