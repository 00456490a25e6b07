//! What the OS says of a process and of the machine. Follows proc(5).

use std::fs;

/// Resident memory, in kilobytes.
pub fn rss(pid: u32) -> f64 {
    line(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// The most that was resident since [`forget_peak`], in kilobytes.
pub fn peak(pid: u32) -> f64 {
    line(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// Begins to count the most resident memory anew.
pub fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Resident memory with shared pages divided among those who share them, in kilobytes. Of the broker, only root is told.
pub fn pss(pid: u32) -> f64 {
    line(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// Processor time of all threads, in microseconds.
pub fn processor(pid: u32) -> f64 {
    let spent = |file: String| fs::read_to_string(file).ok()?.split(' ').next()?.parse::<f64>().ok();
    threads(pid).iter().filter_map(|task| spent(format!("{task}/schedstat"))).sum::<f64>() / 1000.0
}

/// How often a thread gave the processor away or lost it.
pub fn switches(pid: u32) -> f64 {
    let of = |task: &String| {
        let file = format!("{task}/status");
        line(&file, "voluntary_ctxt_switches:") + line(&file, "nonvoluntary_ctxt_switches:")
    };
    threads(pid).iter().map(of).sum()
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.map(|task| task.path().display().to_string()).collect()
}

fn line(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
}

/// The machine, in one sentence.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &'static str| {
        cpus.lines().filter_map(move |line| line.strip_prefix(name)?.split_once(": ").map(|(_, is)| is))
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let memory = line("/proc/meminfo", "MemTotal:") / 1e6;
    let model = of("model name").next().unwrap_or("unknown processor");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!(
        "{} cores of {model}, {memory:.0} GB, Linux {}, load {} at the end.",
        of("processor").count(),
        kernel.trim(),
        load.join(" ")
    )
}
