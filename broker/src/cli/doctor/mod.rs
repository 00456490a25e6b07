//! `aic-broker doctor`: looks at all that a sign-in and a call need, and says what is wrong and which command mends it.
//!
//! It starts no broker, signs nobody in and sends no token. Each check looks in one function and judges in another, which is pure.

mod finding;
mod report;

mod browser;
mod bundle;
mod configuration;
mod editors;
mod keychain;
mod network;
mod port;
mod programs;
mod reach;
mod service;
mod shell;
mod socket;
mod state;
mod tenants;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use finding::{Level, Line, Name};
use futures_util::future::join_all;
use reach::Reach;

use super::{code, say, stop};
use crate::app::{CERTIFICATES, OUR_CERTIFICATES};
use crate::config::{self, Config, Places, PlacesError, Tenant};
use crate::http::{Http, Settings};

/// How long each check may take; they run at the same time.
const CHECK_WITHIN: Duration = Duration::from_secs(6);
/// How long the configuration may take to be read.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// What is asked for.
#[derive(clap::Args)]
pub(super) struct Options {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Write what a bug report needs into a file, without names and secrets
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Leave the names of tenants and users in the bundle
    #[arg(long, requires = "bundle")]
    names: bool,
    /// List everything that can be found, and check nothing
    #[arg(long, conflicts_with = "bundle")]
    list: bool,
}

/// What every check starts from.
struct Scene {
    places: Result<Places, PlacesError>,
    config: Result<Config, config::Error>,
    container: bool,
}

/// Looks, and says what it saw. Leaves with 1 when something is wrong; warnings alone are no failure.
pub(super) fn run(options: &Options) -> ExitCode {
    if options.list {
        return list(options.json);
    }
    if variable(CERTIFICATES).is_some() {
        let error = crate::os::again_with_renamed(CERTIFICATES, OUR_CERTIFICATES);
        return stop(code::FAILED, &format!("starting anew: {error}"));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop(code::FAILED, &error.to_string()),
    };
    let scene = runtime.block_on(scene());
    let (lines, reach) = runtime.block_on(examine(&scene));
    runtime.shutdown_background();
    say(&if options.json { report::json(&lines).to_string() } else { report::table(&lines) });
    if let Some(file) = &options.bundle {
        let text = bundle::text(&lines, &scene, &reach, options.names);
        match bundle::write(file, &text) {
            Err(error) => return stop(code::FAILED, &format!("{}: {error}", file.display())),
            Ok(()) if !options.json => {
                say(&format!("\nthe bundle is {}: look into it before you send it", file.display()))
            }
            Ok(()) => {}
        }
    }
    match lines.iter().any(|line| line.level() == Some(Level::Error)) {
        true => ExitCode::from(code::FAILED),
        false => ExitCode::SUCCESS,
    }
}

fn list(json: bool) -> ExitCode {
    say(&if json { report::names_json().to_string() } else { report::names_table() });
    ExitCode::SUCCESS
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// As the shell had it before this process started anew.
fn variable_of_shell(name: &str) -> Option<String> {
    variable(if name == CERTIFICATES { OUR_CERTIFICATES } else { name })
}

async fn scene() -> Scene {
    let places = Places::find(|name| std::env::var_os(name).map(PathBuf::from));
    let file = places.as_ref().map(|places| places.config.clone()).unwrap_or_default();
    let reading = tokio::task::spawn_blocking({
        let file = file.clone();
        move || Config::load(&file)
    });
    let late = || config::Error::Unreadable {
        file: file.display().to_string(),
        reason: format!("it was not read within {} s", READ_WITHIN.as_secs()),
    };
    let config = match tokio::time::timeout(READ_WITHIN, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) | Err(_) => Err(late()),
    };
    Scene { places, config, container: variable("DOCKER_CONTAINER").is_some_and(|value| value == "true") }
}

type Check<'a> = (&'static str, Pin<Box<dyn Future<Output = Vec<Line>> + 'a>>);

/// All checks at the same time, each with its deadline; their lines come in a fixed order.
async fn examine(scene: &Scene) -> (Vec<Line>, Reach) {
    let first = configuration::judge(&configuration::look(&scene.places, &scene.config));
    let Ok(places) = &scene.places else { return (first, Reach::Nobody) };
    let config = scene.config.clone().unwrap_or_default();
    let tenants = tenants::all(&config);
    let reach = reach::reach(&places.endpoint).await;
    let checks = checks(places, &config, &tenants, &reach, scene);
    let bounded = checks.into_iter().map(|(name, check)| async move {
        let done = tokio::time::timeout(CHECK_WITHIN, check).await;
        done.unwrap_or_else(|_| vec![too_slow(name, places)])
    });
    let rest = join_all(bounded).await.into_iter().flatten();
    (first.into_iter().chain(rest).collect(), reach)
}

fn too_slow(check: &'static str, places: &Places) -> Line {
    let text = format!("it did not end within {} s; something there does not answer", CHECK_WITHIN.as_secs());
    let fix = format!("ls -l {}  # is one of them no plain file?", finding::quoted(&places.state));
    Line::found(check, Name::CheckTooSlow, text, fix)
}

fn checks<'a>(
    places: &'a Places,
    config: &'a Config,
    tenants: &'a [Tenant],
    reach: &'a Reach,
    scene: &'a Scene,
) -> Vec<Check<'a>> {
    let file = places.config.as_path();
    let container = scene.container;
    let directory = places.state.clone();
    let whole = places.clone();
    let mut checks: Vec<Check<'a>> = vec![
        ("tenants", Box::pin(async move { tenants::judge(tenants, file) })),
        ("environment", Box::pin(async move { shell::judge(config, file, variable_of_shell) })),
        ("socket", Box::pin(async move { socket::judge(&socket::look(&places.endpoint, reach.clone())) })),
        ("programs", Box::pin(async move { programs::judge(&programs::look(reach.broker()).await) })),
        ("service", Box::pin(blocking(move || service::judge(service::look(&whole).as_ref())))),
        (
            "keychain",
            Box::pin(async move { vec![keychain::judge(&keychain::look(config.keychain, container).await, file)] }),
        ),
        ("browser", Box::pin(async move { vec![browser::judge(&browser::look(config, container, variable), file)] })),
        ("editors", Box::pin(blocking(|| editors::judge(&editors::look())))),
        ("audit", Box::pin(blocking(move || state::judge(&state::look(&directory))))),
    ];
    for port in ports(tenants).into_iter().filter(|_| !container) {
        checks.push(("port", Box::pin(async move { vec![port::judge(&port::look(port, reach.broker()))] })));
    }
    let http = Http::new(settings(config));
    for tenant in tenants {
        let http = http.clone();
        checks.push((
            "network",
            Box::pin(async move {
                match http {
                    Ok(http) => vec![network::judge(&network::look(&http, tenant, config.proxy.is_some()).await, file)],
                    Err(reason) => vec![network::no_client(&reason, file)],
                }
            }),
        ));
    }
    checks
}

async fn blocking(check: impl FnOnce() -> Vec<Line> + Send + 'static) -> Vec<Line> {
    tokio::task::spawn_blocking(check).await.unwrap_or_default()
}

/// The redirect ports, each once; AIC's own where no tenant is named.
fn ports(tenants: &[Tenant]) -> Vec<u16> {
    let mut ports: Vec<u16> = tenants.iter().map(|tenant| tenant.entry.redirect_uri.port).collect();
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() { vec![config::REDIRECT_PORT] } else { ports }
}

/// As a broker that an editor started has them: the shell's variables do not count.
fn settings(config: &Config) -> Settings {
    let read = config.ca_file.as_ref().and_then(|file| std::fs::read(file).ok());
    let usable = read.filter(|bytes| crate::http::check_certificates(bytes).is_ok());
    Settings { proxy: config.proxy.clone(), extra_roots: usable.into_iter().collect(), environment_proxies: false }
}
