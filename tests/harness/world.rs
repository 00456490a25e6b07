//! A world of its own for one test: directories, configuration, tenants, a browser, and the programs' processes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::audit::{self, Line};
use super::browser::{Browser, Mode};
use super::canary;
use super::command::{Done, Running};
use super::editor::{Asked, Editor};
use super::place::{Place, free_port};
use super::process::{Process, processes_of};
use super::wait::{SOON, eventually};
use crate::tenant::switches::Switches;
use crate::tenant::{Options, Tenant};

/// Where the programs under test are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `aic-broker`.
    pub broker: PathBuf,
    /// `aic-mcp`.
    pub shim: PathBuf,
    /// The browser without a screen.
    pub browser: PathBuf,
}

/// What a world is made of.
pub struct Builder {
    programs: Programs,
    tenants: usize,
    top: String,
    entry: String,
    environment: String,
    user: Option<u32>,
    switches: Box<dyn Fn(&mut Switches)>,
}

impl Builder {
    /// A world with one tenant, in which the person signs in at once.
    pub fn new(programs: Programs) -> Self {
        let (top, entry) = (String::new(), String::new());
        let environment = "environment = \"sandbox\"\n".to_owned();
        Self { programs, tenants: 1, top, entry, environment, user: None, switches: Box::new(|_| {}) }
    }

    /// So many tenants: `t0`, `t1`, ….
    pub fn tenants(mut self, count: usize) -> Self {
        self.tenants = count;
        self
    }

    /// Lines at the top of the configuration.
    pub fn top(mut self, lines: &str) -> Self {
        self.top = format!("{lines}\n");
        self
    }

    /// Lines in each tenant's table.
    pub fn entry(mut self, lines: &str) -> Self {
        self.entry = format!("{lines}\n");
        self
    }

    /// No word of the operator on what the tenants are.
    pub fn without_environment(mut self) -> Self {
        self.environment = String::new();
        self
    }

    /// A world of another user than the one who runs the tests. Only root can make one.
    pub fn of_user(mut self, uid: u32) -> Self {
        self.user = Some(uid);
        self
    }

    /// Sets switches of each tenant before it starts.
    pub fn switches(mut self, set: impl Fn(&mut Switches) + 'static) -> Self {
        self.switches = Box::new(set);
        self
    }

    /// Makes it.
    pub fn build(self) -> World {
        let place = Place::make();
        for (program, name) in [
            (&self.programs.broker, "aic-broker"),
            (&self.programs.shim, "aic-mcp"),
            (&self.programs.browser, "browser"),
        ] {
            place.install(program, name);
        }
        let ports: Vec<u16> = (0..self.tenants).map(|_| free_port()).collect();
        let tenants = ports.iter().map(|port| self.tenant(*port)).collect();
        let browser = Browser::new(&place.browser);
        browser.set(Mode::Follow);
        let entry = format!("{}{}", self.environment, self.entry);
        let world =
            World { tenants, ports, browser, entry, place, wrapper: self.user.map(as_user).unwrap_or_default() };
        world.configure(&self.top);
        if let Some(uid) = self.user {
            world.place.give_to(uid);
        }
        world
    }

    fn tenant(&self, port: u16) -> Tenant {
        let mut switches = Switches { auto_login: true, device_interval_seconds: Some(1), ..Switches::default() };
        (self.switches)(&mut switches);
        let redirect_uris = vec![format!("http://localhost:{port}")];
        let starting = Tenant::start(Options { redirect_uris, switches, ..Options::default() });
        tenants_runtime().block_on(starting).expect("a tenant")
    }
}

/// What runs a command line as another user.
fn as_user(uid: u32) -> Vec<String> {
    let words = ["/usr/bin/setpriv".to_owned(), format!("--reuid={uid}"), format!("--regid={uid}")];
    words.into_iter().chain(["--clear-groups".to_owned()]).collect()
}

/// The runtime on which all tenants of this process are served: tests themselves are plain threads.
fn tenants_runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    })
}

/// One test's world. Its processes end with it.
pub struct World {
    /// The tenants.
    pub tenants: Vec<Tenant>,
    /// The port of each tenant's redirect URI.
    pub ports: Vec<u16>,
    /// The browser.
    pub browser: Browser,
    /// The directories.
    pub place: Place,
    entry: String,
    wrapper: Vec<String>,
}

impl World {
    /// The first tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.tenants[0]
    }

    /// Writes the configuration, with these lines at its top.
    pub fn configure(&self, top: &str) {
        self.write_configuration(&self.configuration(top));
    }

    /// The configuration's text: a key that `top` sets is not set again.
    pub fn configuration(&self, top: &str) -> String {
        let browser = format!("[{:?}, {:?}]", self.place.programs.join("browser"), self.place.browser);
        let usual = [("keychain", "\"memory\""), ("browser", browser.as_str()), ("notifications", "false")];
        let mut text: String = usual
            .iter()
            .filter(|(key, _)| !top.lines().any(|line| line.starts_with(key)))
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        text.push_str(&format!("{top}\n"));
        for (number, (tenant, port)) in self.tenants.iter().zip(&self.ports).enumerate() {
            let url = tenant.base_url();
            text.push_str(&format!(
                "[tenants.t{number}]\nbase_url = \"{url}\"\nredirect_uri = \"http://localhost:{port}\"\n{}",
                self.entry
            ));
        }
        text
    }

    /// Writes the configuration's file.
    pub fn write_configuration(&self, text: &str) {
        std::fs::write(self.place.configuration(), text).unwrap();
    }

    /// The world's `aic-mcp`, to be started as an editor starts it; the tenant is the first one.
    pub fn shim(&self) -> Command {
        let mut command = self.command_of("aic-mcp");
        command.env("AIC_BASE_URL", "t0");
        command
    }

    fn command_of(&self, program: &str) -> Command {
        self.command(&self.place.programs.join(program))
    }

    /// A program in this world's environment, run by the world's user.
    fn command(&self, program: &Path) -> Command {
        let mut words = self.wrapper.iter().map(Into::into).chain([program.to_path_buf()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        self.dress(&mut command);
        command
    }

    fn dress(&self, command: &mut Command) {
        let home = &self.place.home;
        command.env_clear().current_dir(home).env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("HOME", home);
        command
            .env("AIC_BROKER_RUNTIME_DIR", &self.place.run)
            .env("AIC_BROKER_STATE_DIR", &self.place.state)
            .env("AIC_BROKER_CONFIG", self.place.configuration());
        command.envs(profile());
    }

    /// Starts an editor with its `aic-mcp` and opens the conversation; the tenant is the first one.
    #[track_caller]
    pub fn editor(&self, name: &str) -> Editor {
        self.editor_as(Asked { name: name.to_owned(), ..Asked::default() })
    }

    /// Starts an editor whose calls are answered within so many seconds.
    #[track_caller]
    pub fn hasty_editor(&self, seconds: u64) -> Editor {
        let arguments = vec!["--answer-within".to_owned(), seconds.to_string()];
        self.editor_as(Asked { arguments, ..Asked::default() })
    }

    /// Starts an editor as asked.
    #[track_caller]
    pub fn editor_as(&self, asked: Asked) -> Editor {
        self.start_editor(asked).open()
    }

    /// Starts an editor that says nothing yet.
    pub fn start_editor(&self, asked: Asked) -> Editor {
        Editor::start(self.shim(), asked)
    }

    /// Begins one `aic-broker` command.
    pub fn begin(&self, arguments: &[&str]) -> Running {
        self.begin_with(arguments, &[])
    }

    /// Begins one `aic-broker` command with variables of its own.
    pub fn begin_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
        let mut command = self.command_of("aic-broker");
        command.args(arguments).envs(variables.iter().copied());
        Running::start(command)
    }

    /// `aic-broker serve`, behind a shell line that ends with the command line that it is given.
    pub fn serve_in(&self, line: &str) -> Command {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", line, "sh"]).arg(self.place.programs.join("aic-broker")).arg("serve");
        command
    }

    /// Begins one `aic-broker` command at a terminal of its own.
    pub fn begin_at_terminal(&self, arguments: &str) -> Running {
        let typed = format!("{} {arguments}", self.place.programs.join("aic-broker").display());
        let mut command = self.command(Path::new("/usr/bin/script"));
        command.args(["-qefc", &typed, "/dev/null"]);
        Running::start(command)
    }

    /// Begins the daemon behind another program, which runs the command line that it is given.
    pub fn serve_behind(&self, wrapper: &[&str]) -> Running {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).args(&self.wrapper).arg(self.place.programs.join("aic-broker")).arg("serve");
        self.dress(&mut command);
        let running = Running::start(command);
        eventually(SOON, "the broker listens", || self.status());
        running
    }

    /// Runs one `aic-broker` command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Done {
        self.begin(arguments).done()
    }

    /// Starts the daemon as a service manager does, and waits until it listens.
    #[track_caller]
    pub fn serve(&self) -> Running {
        let running = self.begin(&["serve"]);
        eventually(SOON, "the broker listens", || self.status().filter(|status| status["pid"] == running.pid()));
        running
    }

    /// `aic-broker status --json` of a running broker.
    pub fn status(&self) -> Option<Value> {
        let done = self.run(&["status", "--json"]);
        (done.code == Some(0)).then(|| done.json())
    }

    /// The audit log.
    pub fn audit(&self) -> Vec<Line> {
        audit::read(&self.place.audit())
    }

    /// The living processes of this world.
    pub fn processes(&self) -> Vec<Process> {
        processes_of(&self.place.programs)
    }

    /// Its daemons.
    pub fn brokers(&self) -> Vec<Process> {
        self.processes().into_iter().filter(Process::is_broker).collect()
    }

    /// Its one daemon.
    #[track_caller]
    pub fn broker(&self) -> Process {
        let mut brokers = self.brokers();
        assert_eq!(brokers.len(), 1, "{brokers:?}");
        brokers.remove(0)
    }

    /// Ends the daemon with SIGKILL.
    pub fn kill_broker(&self) {
        let broker = self.broker();
        broker.kill();
        eventually(SOON, "the broker is gone", || (!broker.lives()).then_some(()));
    }

    /// Waits until no daemon is left.
    #[track_caller]
    pub fn no_broker_within(&self, within: Duration) {
        eventually(within, "the broker leaves", || self.brokers().is_empty().then_some(()));
    }

    /// The files that hold a needle, the browser's diary left out.
    pub fn files_with(&self, needles: &[(String, String)]) -> Vec<String> {
        let Place { home, run, state, config, .. } = &self.place;
        [home, run, state, config].into_iter().flat_map(|directory| canary::files_with(directory, needles)).collect()
    }
}

/// For `tests/coverage`: the variable that says where a program writes down what it ran through.
pub fn profile() -> Option<(&'static str, OsString)> {
    let name = "LLVM_PROFILE_FILE";
    std::env::var_os(name).map(|file| (name, file))
}

impl World {
    /// For `tests/coverage`: a daemon writes down what it ran through when it leaves by itself.
    fn end_in_order(&self) {
        self.brokers().iter().for_each(Process::terminate);
        eventually(SOON, "the daemons leave", || self.brokers().is_empty().then_some(()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if profile().is_some() && !std::thread::panicking() {
            self.end_in_order();
        }
        for _ in 0..3 {
            self.processes().iter().for_each(Process::kill);
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.place.state.join("broker.log")).unwrap_or_default();
            let place = self.place.root.display();
            eprintln!("in {place}: broker.log: {log}; opened: {}", self.browser.opened().len());
        }
    }
}
