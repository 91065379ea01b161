//! One run of a tool: own process group, empty environment, a wall clock, nothing left behind.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use crate::Error;

/// How much of the end of stderr is kept.
const TAIL_BYTES: usize = 4096;
/// How long a killed group may take to be gone: giving back a gigabyte takes a moment.
const REAP: Duration = Duration::from_secs(5);

/// The process group of a running tool; killed when this is dropped while armed.
struct Group {
    leader: Option<Pid>,
}

impl Group {
    fn of(child: &Child) -> Self {
        Self { leader: child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) }
    }

    /// Ends the group. Safe while the leader has not been waited for: until then its number cannot be given away.
    fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }

    fn has_ended(&mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a tool to its end, handing over its stdout as it comes. On time-out, cancellation or drop of this future the
/// whole process group is killed; on the first two it is also gone when this answers, or five seconds have passed, so that
/// nothing writes any more into a folder that is cleared next.
///
/// # Errors
/// [`Error::Timeout`], [`Error::Cancelled`], [`Error::ToolMissing`], or what [`Error::from_tail`] makes of its stderr
/// when it ends with anything but 0.
pub(crate) async fn run(
    mut command: Command,
    wall: Duration,
    cancel: Option<&CancellationToken>,
    on_output: impl FnMut(&[u8]),
) -> Result<(), Error> {
    if cancel.is_some_and(CancellationToken::is_cancelled) {
        return Err(Error::Cancelled);
    }
    command.env_clear().process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Order matters: locals are dropped from the last to the first, so the group is killed before the child is let go.
    let mut child = command.spawn().map_err(|error| spawn_failed(&command, error))?;
    let mut group = Group::of(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (output, tail) = tokio::join!(drain(stdout, on_output), tail(stderr));
        output?;
        Ok::<_, Error>((child.wait().await?, tail?))
    };
    let cancelled = async {
        match cancel {
            Some(token) => token.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(work);
    let stopped = tokio::select! {
        done = &mut work => {
            let (status, tail) = done?;
            group.has_ended();
            return judge(status, tail);
        }
        () = cancelled => Error::Cancelled,
        () = tokio::time::sleep(wall) => Error::Timeout { seconds: wall.as_secs() },
    };
    group.kill();
    // Not the leader alone is waited for: its pipes end when the last process of the group has let go of them.
    let _ = tokio::time::timeout(REAP, work).await;
    Err(stopped)
}

fn judge(status: ExitStatus, tail: String) -> Result<(), Error> {
    if status.success() {
        return Ok(());
    }
    let tail = if tail.trim().is_empty() { format!("ended with {status}") } else { tail };
    Err(Error::from_tail(tail))
}

fn spawn_failed(command: &Command, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        let hint = format!("{} is gone", command.as_std().get_program().to_string_lossy());
        return Error::ToolMissing { tool: "ffmpeg", hint };
    }
    Error::Disk(error)
}

async fn drain(source: Option<impl AsyncRead + Unpin>, mut on_output: impl FnMut(&[u8])) -> Result<(), Error> {
    let Some(mut source) = source else { return Ok(()) };
    let mut window = [0; 4096];
    loop {
        let count = source.read(&mut window).await?;
        match window.get(..count) {
            Some(piece) if count > 0 => on_output(piece),
            _ => return Ok(()),
        }
    }
}

async fn tail(source: Option<impl AsyncRead + Unpin>) -> Result<String, Error> {
    let mut kept = Vec::with_capacity(2 * TAIL_BYTES);
    drain(source, |piece| {
        kept.extend_from_slice(piece);
        if kept.len() > 2 * TAIL_BYTES {
            kept.drain(..kept.len() - TAIL_BYTES);
        }
    })
    .await?;
    let from = kept.len().saturating_sub(TAIL_BYTES);
    Ok(String::from_utf8_lossy(kept.get(from..).unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    /// Whether a process of the group still runs. One that has ended but was not reaped by its new parent does not.
    fn is_running(leader: i32) -> bool {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return killpg(Pid::from_raw(leader), None).is_ok();
        };
        let stats = entries.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        stats.filter_map(|stat| Some(stat.rsplit_once(") ")?.1.to_owned())).any(|stat| {
            let fields: Vec<_> = stat.split(' ').collect();
            fields.first() != Some(&"Z") && fields.get(2) == Some(&leader.to_string().as_str())
        })
    }

    async fn until_gone(leader: i32) {
        let gone = async {
            while is_running(leader) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(1), gone).await.expect("the group is gone");
    }

    /// Runs a script that says its process number and never ends; answers the number and how the run ended.
    async fn endless(wall: Duration, cancel: &CancellationToken) -> (i32, Error) {
        let mut said = Vec::new();
        // The child of the shell shows that the group is killed, not only its leader.
        let script = "sleep 600 & echo $$; wait";
        let run = run(shell(script), wall, Some(cancel), |piece| {
            said.extend_from_slice(piece);
            if wall > Duration::from_secs(60) {
                cancel.cancel();
            }
        });
        let error = run.await.unwrap_err();
        (String::from_utf8(said).unwrap().trim().parse().unwrap(), error)
    }

    #[tokio::test]
    async fn a_cancelled_run_leaves_no_process() {
        let (leader, error) = endless(Duration::from_secs(600), &CancellationToken::new()).await;
        assert!(matches!(error, Error::Cancelled), "{error:?}");
        until_gone(leader).await;
    }

    /// Processes of the group that still hold files. Memory is given back before files are.
    #[cfg(target_os = "linux")]
    fn holding_files(leader: i32) -> usize {
        let entries = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let of_group = entries.filter(|process| {
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            let group = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(2));
            group == Some(leader.to_string().as_str())
        });
        of_group
            .filter(|process| std::fs::read_dir(process.join("fd")).is_ok_and(|mut fds| fds.next().is_some()))
            .count()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_cancelled_run_is_gone_with_its_slowest_process_when_it_answers() {
        let cancel = CancellationToken::new();
        let mut said = Vec::new();
        // `tail` keeps what it read, and takes longer to die of it than the shell that leads the group.
        let script = "exec 3>&1; { head -c 300M /dev/zero; echo $$ >&3; sleep 600; } | tail -c 300M >/dev/null; true";
        let run = run(shell(script), Duration::from_secs(600), Some(&cancel), |piece| {
            said.extend_from_slice(piece);
            cancel.cancel();
        });
        assert!(matches!(run.await.unwrap_err(), Error::Cancelled));
        assert_eq!(holding_files(String::from_utf8(said).unwrap().trim().parse().unwrap()), 0);
    }

    #[tokio::test]
    async fn a_run_that_takes_too_long_leaves_no_process() {
        let (leader, error) = endless(Duration::from_millis(300), &CancellationToken::new()).await;
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        until_gone(leader).await;
    }

    #[tokio::test]
    async fn a_dropped_run_leaves_no_process() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut send = Some(send);
            run(shell("sleep 600 & echo $$; wait"), Duration::from_secs(600), None, |piece| {
                let leader: i32 = String::from_utf8_lossy(piece).trim().parse().unwrap();
                send.take().unwrap().send(leader).unwrap();
            })
            .await
        });
        let leader = receive.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        until_gone(leader).await;
    }

    #[tokio::test]
    async fn the_environment_is_empty_and_the_tail_is_bounded() {
        let mut said = Vec::new();
        run(shell("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=; true"), Duration::from_secs(10), None, |piece| {
            said.extend_from_slice(piece);
        })
        .await
        .unwrap();
        assert_eq!(String::from_utf8_lossy(&said), "");
        let script = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3";
        let error = run(shell(script), Duration::from_secs(10), None, |_| {}).await.unwrap_err();
        let Error::Failed { tail } = error else { unreachable!("{error:?}") };
        assert!(tail.len() <= TAIL_BYTES && tail.ends_with("line 2999\n"), "{tail}");
    }
}
