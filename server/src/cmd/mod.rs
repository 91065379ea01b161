//! The roles: each builds what it needs, runs until it is told to stop, and stops what it started.

mod admin;
mod check_providers;
mod load_models;
mod migrate;
mod parts;
mod pauses;
mod retention;
mod roles;
mod seed;
mod simulate;
mod stop;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::Resettable};

use crate::{
    config::{Common, Config, wrong},
    telemetry::Telemetry,
};

/// Product videos for fashion shops: stills, clips, renditions, delivery, and every cent of them.
#[derive(Debug, Parser)]
#[command(name = "lookreel", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Serve pages and APIs.
    Serve(Box<Config>),
    /// Run jobs.
    Work(Box<Config>),
    /// Serve and work in one process, with a private Postgres, Redis, object store and provider simulator for whatever
    /// is not set.
    Up(Box<up::Options>),
    /// Bring the database up to date.
    Migrate,
    /// Simulate the providers: their protocols, with time, price, faults and an invoice.
    Simulate(simulate::Options),
    /// Administer accounts, pauses and providers.
    #[command(subcommand)]
    Admin(admin::Task),
}

impl Arguments {
    /// Reads flags and environment; ends the process where they are wrong, or help was asked for.
    pub fn read() -> Self {
        let mut command = without_empty(with_plain_help(Self::command()));
        let mut matches = command.try_get_matches_from_mut(std::env::args_os()).unwrap_or_else(|error| refuse(&error));
        Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

/// Ends the process where a setting or the command line is wrong; help is such an end as well.
fn refuse(error: &clap::Error) -> ! {
    /// What clap ends with.
    const USAGE: i32 = 2;
    if let Some(sentence) = wrong::sentence(error, &Arguments::command(), std::env::args_os()) {
        complain(&anyhow::Error::msg(sentence));
        std::process::exit(USAGE);
    }
    error.exit()
}

/// The help of a role names what the role reads, not all that it shares with others.
fn with_plain_help(command: clap::Command) -> clap::Command {
    const UNREAD_BY_CHECK: [&str; 5] =
        ["fal_user_id", "product_still_models", "product_clip_models", "tryon_still_models", "tryon_clip_models"];
    let database = command.get_arguments().filter(|arg| arg.get_id() == "database_url").cloned();
    let database: Vec<clap::Arg> = database.map(|arg| arg.hide(true)).collect();
    let hide = |arg: clap::Arg| {
        let is_unread = UNREAD_BY_CHECK.contains(&arg.get_id().as_str());
        if is_unread { arg.hide(true) } else { arg }
    };
    command
        .mut_subcommand("simulate", |simulate| simulate.args(database))
        .mut_subcommand("admin", |admin| admin.mut_subcommand("check-providers", |check| check.mut_args(hide)))
}

/// A variable that is set to nothing is not set: that is what files and containers make of one that was left out.
fn without_empty(command: clap::Command) -> clap::Command {
    let unset = |arg: clap::Arg| match arg.get_env().and_then(std::env::var_os) {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    };
    command.mut_args(unset).mut_subcommands(without_empty)
}

/// Runs a role to its end.
pub async fn run(arguments: Arguments) -> ExitCode {
    let quiet = "warn,server=info,lookreel=info,engine=info,jobs=info,storage=info,simulator=info,media=info,providers=info,s3s=warn,s3s_fs=warn,usvg=error";
    let telemetry = match Telemetry::start(arguments.common.log_format, quiet) {
        Ok(telemetry) => telemetry,
        Err(error) => return complain(&error),
    };
    let common = arguments.common;
    let done = match arguments.role {
        Role::Serve(config) => roles::serve(&common, &config).await,
        Role::Work(config) => roles::work(&common, &config).await,
        Role::Up(options) => up::run(&common, *options).await,
        Role::Migrate => migrate::run(&common).await,
        Role::Simulate(options) => simulate::run(options).await,
        Role::Admin(task) => admin::run(&common, task).await,
    };
    telemetry.stop();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// Says on standard error what went wrong, cause by cause.
pub fn complain(error: &anyhow::Error) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "lookreel: {error:#}");
    ExitCode::FAILURE
}

/// Writes a line for the person who started the program.
fn say(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn help(role: &[&str]) -> String {
        let words = [&["lookreel"], role, &["--help"]].concat();
        with_plain_help(Arguments::command()).try_get_matches_from(words).unwrap_err().to_string()
    }

    #[test]
    fn help_names_what_a_role_reads() {
        let simulate = help(&["simulate"]);
        assert!(simulate.contains("SIMULATOR_LISTEN") && simulate.contains("LOG_FORMAT"), "{simulate}");
        assert!(!simulate.contains("DATABASE_URL"), "{simulate}");
        let check = help(&["admin", "check-providers"]);
        for read in ["FAL_KEY", "GEMINI_API_KEY", "SIMULATOR_URL", "DATABASE_URL"] {
            assert!(check.contains(read), "{read} in {check}");
        }
        for unread in ["FAL_USER_ID", "_MODELS"] {
            assert!(!check.contains(unread), "{unread} in {check}");
        }
        assert!(help(&["migrate"]).contains("DATABASE_URL"));
        assert!(help(&["admin", "pauses"]).contains("DATABASE_URL"));
    }

    #[test]
    fn what_help_leaves_out_is_still_taken() {
        let words = ["lookreel", "simulate", "--database-url", "postgres://here/shop"];
        let mut matches = with_plain_help(Arguments::command()).try_get_matches_from(words).unwrap();
        assert!(Arguments::from_arg_matches_mut(&mut matches).unwrap().common.database_url.is_some());
    }
}
