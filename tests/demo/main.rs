//! The demo: two editors, one sign-in, a dozen calls, a dead token, a sign-out, on a simulated tenant in a temporary world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use aic_tests::harness::{Answer, Builder, Editor, Programs, World};
use serde_json::{Value, json};

const HELP: &str = "cargo run --release --bin demo [-- --browser] [--stay]\n\
  --browser  sign in with your own browser (any user name and password)\n\
  --stay     keep the tenant running and print the lines for an editor";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = arguments.iter().find(|word| !["--browser", "--stay"].contains(&word.as_str())) {
        println!("{HELP}");
        return ExitCode::from(if ["--help", "-h"].contains(&unknown.as_str()) { 0 } else { 2 });
    }
    let has = |flag: &str| arguments.iter().any(|word| word == flag);
    let Some(programs) = build() else { return ExitCode::FAILURE };
    let world = world(programs, has("--browser"));
    show(&world);
    if has("--stay") {
        stay(&world);
    }
    ExitCode::SUCCESS
}

/// Builds the programs beside this one.
fn build() -> Option<Programs> {
    let here = std::env::current_exe().ok()?.parent()?.to_path_buf();
    let profile: &[&str] = if here.ends_with("release") { &["--release"] } else { &[] };
    println!("building aic-broker and aic-mcp …");
    let done = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--quiet", "-p", "aic-broker", "-p", "aic-shim", "-p", "aic-tests"])
        .args(["--bin", "aic-broker", "--bin", "aic-mcp", "--bin", "fake-browser"])
        .args(profile)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status();
    let program = |name: &str| -> PathBuf { here.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)) };
    done.is_ok_and(|status| status.success()).then(|| Programs {
        broker: program("aic-broker"),
        shim: program("aic-mcp"),
        browser: program("fake-browser"),
    })
}

fn world(programs: Programs, real_browser: bool) -> World {
    let builder = Builder::new(programs);
    match real_browser {
        true => builder.top("browser = \"auto\"").switches(|switches| switches.auto_login = false).build(),
        false => builder.build(),
    }
}

/// Prints what happens, each line with the time that it took.
struct Stage {
    began: Instant,
}

impl Stage {
    fn say(&self, text: &str) {
        println!("{:>7.3} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// Calls a tool and says how long it took.
    fn call(&self, editor: &mut Editor, who: &str, tool: &str, arguments: &Value) -> Value {
        let asked = Instant::now();
        let answer = editor.call(tool, arguments.clone());
        let took = asked.elapsed().as_secs_f64() * 1000.0;
        self.say(&format!("{who} {tool:<22} {took:>8.1} ms  {}", in_short(&answer)));
        assert!(!answer.is_error(), "{tool}: {}", answer.text());
        answer.structured().clone()
    }
}

fn in_short(answer: &Answer) -> String {
    let text = answer.text().replace('\n', " ");
    match text.char_indices().nth(76) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

fn show(world: &World) {
    let stage = Stage { began: Instant::now() };
    let (mut one, mut two) = (world.editor("editor-one"), world.editor("editor-two"));
    stage.say("two editors are open; no broker runs, nobody is signed in");
    assert!(world.brokers().is_empty());

    stage.say("editor-one asks first: the broker starts, the browser opens once");
    let sources = stage.call(&mut one, "one", "getLogSources", &json!({}));
    stage.call(&mut two, "two", "getSessionStatus", &json!({}));
    let types = stage.call(&mut two, "two", "listManagedObjects", &json!({}));
    let created = stage.call(
        &mut one,
        "one",
        "createManagedObject",
        &json!({"objectType": "alpha_user", "objectData":
        {"userName": "demo", "givenName": "Demo", "sn": "Example", "mail": "demo@example.com"}}),
    );
    let id = created["_id"].as_str().unwrap_or_default().to_owned();
    let user = json!({"objectType": "alpha_user", "objectId": id});
    let read = stage.call(&mut two, "two", "getManagedObject", &user);
    stage.call(
        &mut two,
        "two",
        "queryManagedObjects",
        &json!({"objectType": "alpha_user", "queryFilter": "userName eq \"demo\""}),
    );
    stage.call(
        &mut one,
        "one",
        "patchManagedObject",
        &json!({"objectType": "alpha_user", "objectId": id, "revision": read["_rev"],
        "operations": [{"operation": "replace", "field": "/sn", "value": "Changed"}]}),
    );
    stage.call(&mut one, "one", "setVariable", &json!({"variableId": "esv-demo", "type": "string", "value": "hello"}));
    stage.call(&mut two, "two", "getVariable", &json!({"variableId": "esv-demo"}));
    stage.call(&mut two, "two", "queryESVs", &json!({"type": "variable", "queryTerm": "demo"}));
    stage.call(&mut one, "one", "queryLogs", &json!({"sources": ["am-access"], "pageSize": 5}));
    let refused = two.call("getManagedObject", json!({"objectType": "alpha_user", "objectId": "../config/managed"}));
    stage.say(&format!("two getManagedObject       refused: {}", in_short(&refused)));
    assert!(refused.is_error() && !sources.is_null() && !types.is_null());

    world.tenant().kill_primary_tokens();
    world.tenant().kill_scoped_tokens();
    stage.say("the tenant revokes all tokens: one new sign-in, the call succeeds");
    stage.call(&mut two, "two", "getManagedObject", &user);
    stage.call(&mut one, "one", "deleteManagedObject", &user);
    stage.call(&mut one, "one", "deleteVariable", &json!({"variableId": "esv-demo"}));
    finish(world, &stage);
}

fn finish(world: &World, stage: &Stage) {
    for arguments in [&["status"] as &[&str], &["logout", "--all"], &["audit", "verify"]] {
        let done = world.run(arguments);
        stage.say(&format!("aic-broker {}", arguments.join(" ")));
        done.said().lines().for_each(|line| println!("           │ {line}"));
    }
    let ledger = world.tenant().ledger();
    let exchanges = world.audit().iter().filter(|line| line.event() == "exchange").count();
    let windows = match world.browser.opened().len() {
        0 => String::new(),
        count => format!(", {count} sign-ins"),
    };
    stage.say(&format!(
        "{} requests reached the tenant, {exchanges} of them for scoped tokens{windows}; no editor saw a token",
        ledger.len()
    ));
}

fn stay(world: &World) {
    let entry = json!({"mcpServers": {"aic": {
    "command": world.place.programs.join("aic-mcp"),
    "env": {
        "AIC_BASE_URL": "t0",
        "AIC_BROKER_RUNTIME_DIR": world.place.run,
        "AIC_BROKER_STATE_DIR": world.place.state,
        "AIC_BROKER_CONFIG": world.place.configuration(),
    }}}});
    println!("\nThe tenant goes on at {}. For an editor:\n\n{entry:#}\n\nEnter ends it.", world.tenant().base_url());
    let _ = std::io::stdin().read_line(&mut String::new());
}
