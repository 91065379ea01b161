//! The real binary, started the way people start it.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A start that takes longer is a failure.
const START: Duration = Duration::from_secs(60);
/// A stop that takes longer is a failure.
const STOP: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Settings of one start, as environment variables.
pub type Settings = Vec<(&'static str, String)>;

/// A running `lookreel`. Dropping it kills it.
pub struct Program {
    child: Child,
    lines: Mutex<Receiver<String>>,
    log: PathBuf,
}

impl Program {
    /// Starts a role; its log goes to `dir`.
    pub fn start(args: &[&str], settings: &Settings, dir: &Path) -> Self {
        let mut command = bare(settings);
        command.args(args).stdin(Stdio::null());
        Self::spawn(command, dir)
    }

    /// The same, for a process that must end with this one although nothing drops it: a shell holds the reading end of
    /// a pipe of ours and stops the program when the pipe breaks.
    pub fn start_tied(args: &[&str], settings: &Settings, dir: &Path) -> Self {
        const WATCH: &str = r#""$@" </dev/null & child=$!; read -r _; kill -TERM $child; wait $child; rm -rf "$0""#;
        let mut command = Command::new("sh");
        command.env_clear().envs(base()).envs(settings.iter().map(|(name, value)| (*name, value)));
        command.args(["-c", WATCH]).arg(dir).arg(binary()).args(args).stdin(Stdio::piped());
        Self::spawn(command, dir)
    }

    fn spawn(mut command: Command, dir: &Path) -> Self {
        let log = dir.join(format!("{}.log", uuid::Uuid::now_v7()));
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines: Mutex::new(lines), log }
    }

    /// The first line it prints.
    pub fn first_line(&self) -> String {
        let lines = self.lines.lock().unwrap();
        lines.recv_timeout(START).unwrap_or_else(|_| panic!("it did not start: {}", self.log()))
    }

    /// The first line it prints, as JSON.
    pub fn ready(&self) -> Value {
        serde_json::from_str(&self.first_line()).unwrap()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it without a word: `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits until it has; how it ended and how long that took.
    pub fn stop(mut self, signal: Signal) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        kill(self.pid(), signal).unwrap();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, asked.elapsed());
            }
            assert!(asked.elapsed() < STOP, "it did not stop: {}", self.log());
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a role that ends by itself: exit code, standard output, standard error.
pub fn run(args: &[&str], settings: &Settings) -> (i32, String, String) {
    let mut child =
        bare(settings).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // What is asked for here prints little: no pipe fills up.
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > START {
            child.kill().unwrap();
            panic!("lookreel {args:?} did not end");
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (status.code().unwrap_or(-1), out, err)
}

/// The program with these settings and no others: what the tests themselves were given is not passed on.
fn bare(settings: &Settings) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().envs(base()).envs(settings.iter().map(|(name, value)| (*name, value)));
    command
}

/// `LOOKREEL_BIN`, else the one that was built with the tests.
fn binary() -> OsString {
    std::env::var_os("LOOKREEL_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_lookreel").into())
}

fn base() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| matches!(name.as_str(), "PATH" | "HOME" | "TMPDIR" | "LANG"))
}
