//! The most memory a process had, as Linux counts it (proc_pid_status(5), proc_pid_clear_refs(5)).

use std::fs;

use anyhow::Context as _;

/// The peak since the last [`reset_peak`], in MiB.
pub fn peak_mib(process: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

/// Counts anew from what it has now.
pub fn reset_peak(process: u32) -> anyhow::Result<()> {
    Ok(fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}
