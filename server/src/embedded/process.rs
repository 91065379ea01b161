//! A running server: started in its own process group, watched, stopped; and what an earlier run
//! may have left behind.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitStatus},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout},
};

use super::{EmbeddedError, folder::Folder};

const POLL: Duration = Duration::from_millis(25);

/// Signals to send in turn, each with the time the server gets before the next.
pub(super) type StopPlan = [(Signal, Duration)];

/// A server process of ours. Dropping it interrupts the server without waiting.
#[derive(Debug)]
pub(super) struct ServerProcess {
    name: &'static str,
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl ServerProcess {
    /// Starts `command` in a process group of its own, so that Ctrl-C in the terminal reaches only
    /// us and we decide the order in which things stop.
    pub(super) async fn spawn(name: &'static str, mut command: Command) -> Result<Self, EmbeddedError> {
        let program = PathBuf::from(command.get_program());
        let spawn_error = |source| EmbeddedError::Spawn { program, source };
        let (started, pid) = oneshot::channel();
        let (ended, exit) = watch::channel(None);
        // Linux ties `setpriv --pdeathsig` to the thread that forks, so that thread has to live
        // exactly as long as the child: it does nothing but wait for it.
        let waiter = move || {
            let mut child = match command.process_group(0).spawn() {
                Ok(child) => child,
                Err(error) => {
                    _ = started.send(Err(error));
                    return;
                }
            };
            _ = started.send(Ok(child.id()));
            ended.send_replace(child.wait().ok());
        };
        let thread = thread::Builder::new().name(format!("{name} waiter"));
        let spawned = match thread.spawn(waiter) {
            Ok(_) => pid.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())),
            Err(error) => Err(error),
        };
        let pid = spawned.and_then(|pid| i32::try_from(pid).map_err(io::Error::other)).map_err(spawn_error)?;
        Ok(Self { name, pid: Pid::from_raw(pid), exit })
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns when the process has ended.
    pub(super) async fn exited(&self) {
        let mut exit = self.exit.clone();
        // An error means that the waiting thread is gone, which it only is after the child.
        _ = exit.wait_for(Option::is_some).await;
    }

    /// Waits until `is_ready` says so; an early end or `limit` passing is an error.
    pub(super) async fn wait_ready(
        &self,
        limit: Duration,
        folder: &Folder,
        mut is_ready: impl AsyncFnMut() -> bool,
    ) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + limit;
        while !is_ready().await {
            if let Some(status) = *self.exit.borrow() {
                return Err(EmbeddedError::Exited {
                    server: self.name,
                    status,
                    log: folder.log_path(),
                    tail: folder.log_tail(),
                });
            }
            if Instant::now() >= deadline {
                return Err(EmbeddedError::TimedOut {
                    what: self.name,
                    limit_seconds: limit.as_secs(),
                    log: folder.log_path(),
                });
            }
            _ = timeout(POLL, self.exited()).await;
        }
        Ok(())
    }

    /// Sends the signals of `plan` in turn until the process has ended, and `SIGKILL` to its whole
    /// group when none of them helped.
    pub(super) async fn stop(self, plan: &StopPlan) {
        for (signal, patience) in plan {
            self.signal(*signal);
            if timeout(*patience, self.exited()).await.is_ok() {
                return;
            }
            tracing::warn!(
                server.pid = self.pid.as_raw(),
                "{} did not stop within {} s of {signal}",
                self.name,
                patience.as_secs()
            );
        }
        _ = kill(Pid::from_raw(-self.pid.as_raw()), Signal::SIGKILL);
        self.exited().await;
    }

    fn signal(&self, signal: Signal) {
        if self.exit.borrow().is_none() {
            _ = kill(self.pid, signal);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

/// Stops process `pid` when its command line holds all of `marks`, which only a server of ours that
/// outlived its lookreel has; any other process that got the number since is left alone.
/// Returns whether no such server is left.
pub(super) async fn stop_orphan(pid: Pid, marks: &[&str], plan: &StopPlan) -> bool {
    if !is_orphan(pid, marks).await {
        return true;
    }
    tracing::info!(server.pid = pid.as_raw(), "stopping server {pid} left behind by an earlier run");
    let kill_at_last = (Signal::SIGKILL, Duration::from_secs(5));
    for (signal, patience) in plan.iter().chain([&kill_at_last]) {
        _ = kill(pid, *signal);
        let deadline = Instant::now() + *patience;
        while Instant::now() < deadline {
            if !is_orphan(pid, marks).await {
                return true;
            }
            sleep(POLL).await;
        }
    }
    false
}

async fn is_orphan(pid: Pid, marks: &[&str]) -> bool {
    let line = command_line(pid).await;
    line.is_some_and(|line| marks.iter().all(|mark| line.contains(mark)))
}

/// The command line of a live process; a zombie has none.
async fn command_line(pid: Pid) -> Option<String> {
    if cfg!(target_os = "linux") {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = tokio::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .await
        .ok()?;
    String::from_utf8(output.stdout).ok()
}
