//! One run of `aic-broker`, to its end or in the background.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::editor::keep;
use super::wait::{SOON, eventually};

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its result.
    pub out: String,
    /// Its complaints.
    pub err: String,
    /// Whether the OS wrote a core file.
    pub core: bool,
}

impl Done {
    /// The result as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, which must have this exit code.
    #[track_caller]
    pub fn left_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Everything that it said.
    pub fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A command in the background; ended with SIGKILL when dropped.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Starts it.
    pub fn start(command: Command) -> Self {
        Self::start_on(command, Stdio::piped())
    }

    /// Starts it on this standard input.
    pub fn start_on(mut command: Command, input: Stdio) -> Self {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("aic-broker starts");
        let input = child.stdin.take();
        let (out, err) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (kept_out, kept_err) = (out.clone(), err.clone());
        let readers = vec![
            std::thread::spawn(move || keep(stdout, &kept_out)),
            std::thread::spawn(move || keep(stderr, &kept_err)),
        ];
        Self { child, input, out, err, readers }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Types a line.
    pub fn type_in(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// What it said until now.
    pub fn said(&self) -> String {
        [&self.out, &self.err].map(|kept| String::from_utf8_lossy(&kept.lock().unwrap()).into_owned()).concat()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn done(mut self) -> Done {
        drop(self.input.take());
        let status = eventually(SOON, "the command ends", || self.child.try_wait().unwrap());
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        let text = |kept: &Mutex<Vec<u8>>| String::from_utf8_lossy(&kept.lock().unwrap()).into_owned();
        Done { code: status.code(), out: text(&self.out), err: text(&self.err), core: status.core_dumped() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
