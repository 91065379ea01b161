//! The private servers of `lookreel up`: one Postgres and one Redis, started from the installed
//! programs, with their data under the state folder and on loopback ports of their own. They never
//! use a standard port and never touch a server that somebody else started.
//!
//! A started server ends with [`EmbeddedPostgres::stop`] / [`EmbeddedRedis::stop`]. When this
//! process is killed instead, Linux interrupts the server at once; elsewhere the next start finds
//! what was left behind and stops it first. Data survives both.

mod account;
mod folder;
mod postgres;
mod process;
mod program;
mod redis;

use std::{io, path::PathBuf, process::ExitStatus};

pub use postgres::EmbeddedPostgres;
pub use redis::EmbeddedRedis;

/// Why a private server could not be started. Every sentence says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A program is not installed, or not where we look.
    #[error("`{program}` was not found; {install}")]
    Missing {
        /// File name of the program.
        program: &'static str,
        /// How to install it, or how to say where it is.
        install: &'static str,
    },
    /// Another live process holds the same state folder.
    #[error(
        "{} is in use by another lookreel; stop that one or choose another state folder",
        path.display()
    )]
    InUse {
        /// The folder both want.
        path: PathBuf,
    },
    /// We are root and found nobody to run Postgres as.
    #[error(
        "Postgres refuses to run as root and this machine has neither a user `postgres` nor \
         `nobody`; start lookreel as an ordinary user"
    )]
    NoAccount,
    /// A file or folder could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    File {
        /// Verb phrase: `create`, `read`, …
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No loopback port could be opened.
    #[error("could not find a free port on 127.0.0.1: {0}")]
    NoPort(#[source] io::Error),
    /// A program could not be run at all.
    #[error("could not run {}: {source}", program.display())]
    Spawn {
        /// Full path of the program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A preparing program ran and failed.
    #[error("{program} failed ({status}): {output}")]
    Failed {
        /// File name of the program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error("{server} stopped while starting ({status}); its log {} ends with: {tail}", log.display())]
    Exited {
        /// `Postgres` or `Redis`.
        server: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Where its whole log is.
        log: PathBuf,
        /// The end of that log.
        tail: String,
    },
    /// Something took longer than it ever should.
    #[error("{what} did not finish within {limit_seconds} s; see {}", log.display())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long it was waited for.
        limit_seconds: u64,
        /// Where to look for the cause.
        log: PathBuf,
    },
}

#[cfg(test)]
mod tests;
