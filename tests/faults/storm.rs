//! A thousand shims that start at once where no broker runs, beside as many bare programs in the same run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::stage::Stage;
use crate::harness::SOON;

/// How long the last of a storm may take before it counts as never.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// How often bare programs and shims start in turn.
const TURNS: usize = 3;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How many started at once.
    pub count: usize,
    /// From the first start to the last answer: bare programs, shims.
    pub turns: Vec<(Duration, Duration)>,
    /// Shims without an answer, or with a failure.
    pub failed: Vec<String>,
    /// Brokers alive after each storm.
    pub brokers: Vec<usize>,
}

impl Report {
    /// One broker and every shim answered.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && self.brokers.iter().all(|count| *count == 1)
    }
}

/// Starts so many at once, a few times.
pub fn run(count: usize) -> Report {
    raise_descriptors();
    let mut report = Report { count, ..Report::default() };
    for _ in 0..TURNS {
        let bare = {
            let stage = Stage::build(1);
            stage.block_on(all(count, false, || std::process::Command::new(super::beside("bare-server")))).0
        };
        let stage = Stage::build(1);
        let (shims, failed) = stage.block_on(all(count, true, || stage.world.shim()));
        report.turns.push((bare, shims));
        report.failed.extend(failed);
        let brokers = crate::harness::eventually(SOON, "one broker is left", || {
            Some(stage.world.brokers().len()).filter(|count| *count <= 1)
        });
        report.brokers.push(brokers);
    }
    report
}

async fn all(count: usize, calls: bool, program: impl Fn() -> std::process::Command) -> (Duration, Vec<String>) {
    let began = Instant::now();
    let starts: Vec<_> = (0..count).map(|_| tokio::spawn(one(Command::from(program()), calls))).collect();
    let mut failed = Vec::new();
    let mut children = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            Ok(child) => children.push(child),
            Err(words) => failed.push(words),
        }
    }
    let took = began.elapsed();
    drop(children);
    (took, failed)
}

async fn one(mut command: Command, calls: bool) -> Result<tokio::process::Child, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let work = async {
        let mut ask = async |message: Value| {
            input.write_all(format!("{message}\n").as_bytes()).await.map_err(|error| error.to_string())?;
            let line = lines.next_line().await.map_err(|error| error.to_string())?.ok_or("it left")?;
            serde_json::from_str::<Value>(&line).map_err(|error| error.to_string())
        };
        ask(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
            "capabilities": {}, "clientInfo": {"name": "storm", "version": "1"}}}))
        .await?;
        if calls {
            let call = json!({"name": "getJourneyPreviewUrl", "arguments": {"realm": "alpha"}});
            let answer = ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})).await?;
            if answer["result"]["isError"] == true || answer.get("result").is_none() {
                return Err(answer.to_string());
            }
        }
        Ok(())
    };
    match tokio::time::timeout(ANSWER_WITHIN, work).await {
        Ok(Ok(())) => Ok(child),
        Ok(Err(words)) => Err(words),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Three pipes for each program are more than the usual limit allows.
fn raise_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum });
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} at once, from the first start to the last answer:", self.count)?;
        for ((bare, shims), brokers) in self.turns.iter().zip(&self.brokers) {
            let ratio = shims.as_secs_f64() / bare.as_secs_f64();
            writeln!(
                f,
                "  bare programs {:.2} s, shims with a call {:.2} s: {ratio:.2} x; brokers left: {brokers}",
                bare.as_secs_f64(),
                shims.as_secs_f64()
            )?;
        }
        for words in self.failed.iter().take(5) {
            writeln!(f, "FAILED {words}")?;
        }
        write!(f, "{} shims failed", self.failed.len())
    }
}
