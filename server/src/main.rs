//! `lookreel`: one binary, many roles.

// Views are deep types.
#![recursion_limit = "256"]

mod cmd;
mod config;
mod demo;
mod embedded;
mod http;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two crates could bring different providers; one is chosen for the whole process.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    let arguments = cmd::Arguments::read();
    // Deep views need more stack than tokio's default in unoptimised builds.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 * 1024 * 1024).build();
    match runtime {
        Ok(runtime) => runtime.block_on(cmd::run(arguments)),
        Err(error) => cmd::complain(&anyhow::Error::new(error).context("the runtime could not be started")),
    }
}
