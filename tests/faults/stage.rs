//! A world whose tenants are reached through proxies, with a broker that runs and sessions that are open.

use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::caller::Caller;
use super::oracle::Record;
use super::proxy::Proxy;
use crate::harness::{Builder, Running, World};

/// What an engine works on. Its processes end with it.
pub struct Stage {
    /// One for each tenant, in order.
    pub proxies: Vec<Proxy>,
    /// Directories, tenants, programs.
    pub world: World,
    /// Where proxies and callers live.
    pub runtime: Runtime,
    broker: Option<Running>,
}

impl Stage {
    /// Starts everything but the broker.
    pub fn build(tenants: usize) -> Self {
        let world = Builder::new(super::programs())
            .tenants(tenants)
            .switches(|switches| switches.logs_per_minute = u32::MAX)
            .build();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let mut text = world.configuration("");
        let mut proxies = Vec::new();
        for tenant in &world.tenants {
            let proxy = runtime.block_on(Proxy::start(tenant.port())).expect("a proxy");
            text = text.replace(&format!("{}\"", tenant.base_url()), &format!("{}\"", proxy.base_url()));
            proxies.push(proxy);
        }
        world.write_configuration(&text);
        Self { proxies, world, runtime, broker: None }
    }

    /// Starts the broker and waits until it listens.
    pub fn serve(mut self) -> Self {
        self.broker = Some(self.world.serve());
        self
    }

    /// The same behind another program, which runs the command line that it is given.
    pub fn serve_behind(mut self, wrapper: &[String]) -> Self {
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        self.broker = Some(self.world.serve_behind(&wrapper));
        self
    }

    /// The broker's process.
    pub fn broker_pid(&self) -> u32 {
        self.broker.as_ref().expect("a broker").pid()
    }

    /// Runs to the end on the engine's runtime.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Connects as a shim of a tenant.
    pub async fn caller(&self, tenant: usize) -> Caller {
        Caller::connect(&self.world.place.run, &format!("t{tenant}")).await.expect("a connection")
    }

    /// Waits until no rest of a message is on its way to any tenant.
    ///
    /// Errors: panics when some are after many looks.
    pub async fn settle(&self) {
        for _ in 0..500 {
            if self.proxies.iter().all(Proxy::is_quiet) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the proxies never came to rest");
    }

    /// What the audit log says of each variable's writes, by its name; the chain must be whole. Calls that came to no
    /// request are under the empty name.
    pub fn records(&self) -> HashMap<String, Record> {
        self.world.run(&["audit", "verify"]).left_with(0);
        let mut records = HashMap::<String, Record>::new();
        each_line(&self.world.place.state, |line| {
            if line["tool"] != "setVariable" {
                return;
            }
            // the first request of a call may be the look at the tenant, and the write comes last
            let last = line["requests"].as_array().and_then(|requests| requests.last());
            let path = last.and_then(|request| request["path"].as_str()).unwrap_or_default();
            let record = records.entry(path.rsplit('/').next().unwrap_or_default().to_owned()).or_default();
            let word = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
            match word("event").as_str() {
                "intent" => record.intents += 1,
                "call" => record.calls.push((word("outcome"), word("executed"))),
                _ => {}
            }
        });
        records
    }
}

/// Reads every line of every file of an audit log, the oldest first.
pub fn each_line(state: &Path, mut see: impl FnMut(&Value)) {
    let mut files: Vec<_> = std::fs::read_dir(state).unwrap().flatten().map(|entry| entry.path()).collect();
    let is_log = |path: &Path| path.extension().is_some_and(|end| end == "jsonl");
    files.retain(|path| is_log(path));
    files.sort();
    for file in files {
        for line in BufReader::new(File::open(file).unwrap()).lines() {
            see(&serde_json::from_str(&line.unwrap()).unwrap());
        }
    }
}
