//! A world in which something is wrong, a shell in it, and what a person does about it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aic_tests::harness::{Done, Running, SOON, World, eventually, profile};
use serde_json::Value;

/// What stands for the person's editor: it edits the last file of its line as `$EDIT` says.
const EDITOR: &str = "#!/bin/sh\nfor last; do :; done\nexec sed -i \"$EDIT\" \"$last\"\n";
/// What stands for sudo on a machine where the tests are the superuser already.
const SUDO: &str = "#!/bin/sh\nexec \"$@\"\n";

/// The person's own deed, where the printed line is one that only a desktop or another machine can follow.
pub(super) type Deed = Box<dyn Fn(&mut Scene)>;

/// One world with one thing wrong.
pub(super) struct Scene {
    /// What must live as long as the scene, and ends before its world.
    pub(super) kept: Vec<Kept>,
    pub(super) world: World,
    /// What the shell sets.
    pub(super) variables: Vec<(String, String)>,
    /// What stands before the program on its line.
    pub(super) wrapper: String,
    /// How the person edits a file that the fix opens.
    pub(super) edit: String,
    /// What the person does in place of the printed line.
    pub(super) deed: Option<Deed>,
}

/// A process or a thing that belongs to a scene; it ends with it.
pub(super) enum Kept {
    Process(Child),
    Broker(#[expect(dead_code, reason = "held")] Running),
    Thing(#[expect(dead_code, reason = "held")] Box<dyn std::any::Any>),
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Self::Process(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Scene {
    pub(super) fn of(world: World) -> Self {
        let tools = world.place.root.join("tools");
        std::fs::create_dir(&tools).unwrap();
        for (name, text) in [("editor", EDITOR), ("sudo", SUDO)] {
            script(&tools.join(name), text);
        }
        let (variables, kept) = (Vec::new(), Vec::new());
        Self { world, variables, wrapper: String::new(), edit: String::new(), deed: None, kept }
    }

    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn edit(mut self, script: impl Into<String>) -> Self {
        self.edit = script.into();
        self
    }

    pub(super) fn deed(mut self, deed: impl Fn(&mut Self) + 'static) -> Self {
        self.deed = Some(Box::new(deed));
        self
    }

    pub(super) fn keep(mut self, kept: Kept) -> Self {
        self.kept.push(kept);
        self
    }

    pub(super) fn tools(&self) -> PathBuf {
        self.world.place.root.join("tools")
    }

    /// Types lines into a shell of this world.
    pub(super) fn shell(&self, lines: &str) -> Done {
        let place = &self.world.place;
        let mut shell = Command::new("/bin/sh");
        let path = format!("{}:{}:/usr/sbin:/usr/bin:/sbin:/bin", place.programs.display(), self.tools().display());
        shell.args(["-c", lines]).env_clear().current_dir(&place.home);
        shell.env("PATH", path).env("HOME", &place.home).env("LANG", "C.UTF-8").envs(profile());
        shell.env("EDITOR", self.tools().join("editor")).env("EDIT", &self.edit);
        shell.env("AIC_BROKER_RUNTIME_DIR", &place.run).env("AIC_BROKER_STATE_DIR", &place.state);
        shell.env("AIC_BROKER_CONFIG", place.configuration());
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Running::start(shell).done()
    }

    /// What the doctor says after some lines in the same shell.
    pub(super) fn doctor_after(&self, lines: &str) -> (Value, Done) {
        let done = self.shell(&format!("{lines}\n{} aic-broker doctor --json", self.wrapper));
        let last = done.out.lines().last().unwrap_or_default();
        let said = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {done:?}"));
        (said, done)
    }
}

/// The check that made a finding.
pub(super) fn found<'a>(said: &'a Value, finding: &str) -> Option<&'a Value> {
    said["checks"].as_array().unwrap().iter().find(|check| check["finding"] == finding)
}

/// Writes a program.
pub(super) fn script(path: &Path, text: &str) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Starts a Python program and waits for its first line.
pub(super) fn python(program: &str, arguments: &[&str]) -> Kept {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", program]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("Python");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "{program}");
    Kept::Process(child)
}

/// The scene's doctor finds it, says what helps, and leaves as its level asks.
pub(super) fn is_found(finding: &str, cause: fn() -> Scene) {
    let scene = cause();

    let (said, done) = scene.doctor_after("");

    let check = found(&said, finding).unwrap_or_else(|| panic!("{finding} is not in {said:#}"));
    assert!(check["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{check}");
    let wrong = said["checks"].as_array().unwrap().iter().any(|check| check["level"] == "error");
    assert_eq!((done.code, &said["ok"]), (Some(i32::from(wrong)), &Value::from(!wrong)), "{done:?}");
}

/// After the printed line, or the person's deed, the finding is gone.
pub(super) fn is_gone_after_its_fix(finding: &str, cause: fn() -> Scene) {
    let mut scene = cause();
    let (said, _) = scene.doctor_after("");
    let fix = found(&said, finding).unwrap_or_else(|| panic!("{finding} is not in {said:#}"))["fix"].clone();
    let fix = fix.as_str().unwrap().to_owned();

    let first = match scene.deed.take() {
        Some(deed) => {
            deed(&mut scene);
            scene.doctor_after("")
        }
        None => scene.doctor_after(&fix),
    };

    if found(&first.0, finding).is_some() {
        eventually(SOON, &format!("{finding} is gone after {fix:?}: {first:?}"), || {
            found(&scene.doctor_after("").0, finding).is_none().then_some(())
        });
    }
}
