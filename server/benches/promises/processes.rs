//! What a run costs the whole machine, wherever its processes are: in a sandbox nobody waits for ffmpeg in a way that
//! counts for this process (proc_stat(5), proc_pid_comm(5)).

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use nix::unistd::{SysconfVar, sysconf};

use super::memory::peak_mib;

/// Often enough to see the last of a peak that only grows.
const LOOKED_EVERY: Duration = Duration::from_millis(10);

/// Seconds all processors have been busy since the machine started. Whatever else runs is counted as well.
pub fn busy_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu ")).context("no line of all processors")?;
    let ticks: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq
    let [user, nice, system, _, _, irq, softirq, ..] = ticks.as_slice() else { anyhow::bail!("an unknown /proc/stat") };
    let a_second = sysconf(SysconfVar::CLK_TCK)?.context("no clock tick")? as f64;
    Ok((user + nice + system + irq + softirq) / a_second)
}

/// The most memory one process of a name had while something ran, in MiB.
pub async fn peak_of<T>(name: &str, work: impl Future<Output = T>) -> anyhow::Result<(T, f64)> {
    let is_over = Arc::new(AtomicBool::new(false));
    let looking = {
        let (name, is_over) = (name.to_owned(), is_over.clone());
        thread::spawn(move || {
            let mut peak = 0.0_f64;
            while !is_over.load(Ordering::Relaxed) {
                for process in processes_of(&name) {
                    // It may have ended since.
                    peak = peak.max(peak_mib(process).unwrap_or(0.0));
                }
                thread::sleep(LOOKED_EVERY);
            }
            peak
        })
    };
    let done = work.await;
    is_over.store(true, Ordering::Relaxed);
    let peak = looking.join().ok().context("nobody looked at the processes")?;
    Ok((done, peak))
}

fn processes_of(name: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_named =
        |process: &u32| fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm.trim() == name);
    processes.filter(is_named).collect()
}
