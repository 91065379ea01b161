//! The provider simulator on its own.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use simulator::{Settings, Simulator};
use url::Url;

use super::{say, stop};
use crate::config::value;

/// How the simulator behaves.
#[derive(Debug, Clone, Args)]
pub struct Behaviour {
    /// Milliseconds a still takes.
    #[arg(long, env = "SIMULATOR_STILL_DELAY_MS", default_value_t = 2_500, value_parser = delay())]
    pub simulator_still_delay_ms: u64,
    /// Milliseconds a clip waits in the queue.
    #[arg(long, env = "SIMULATOR_QUEUE_DELAY_MS", default_value_t = 1_500, value_parser = delay())]
    pub simulator_queue_delay_ms: u64,
    /// Milliseconds a clip takes.
    #[arg(long, env = "SIMULATOR_CLIP_DELAY_MS", default_value_t = 6_000, value_parser = delay())]
    pub simulator_clip_delay_ms: u64,
}

/// Settings of the role `simulate`.
#[derive(Debug, Args)]
pub struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, env = "SIMULATOR_LISTEN", default_value = "127.0.0.1:3900", value_parser = value::socket_address)]
    listen: SocketAddr,
    /// How others reach it, when not by the address it listens on.
    #[arg(long, env = "SIMULATOR_PUBLIC_URL", value_parser = value::web_address)]
    public_url: Option<Url>,
    /// Folder that keeps its requests, files and invoice.
    #[arg(long, env = "SIMULATOR_DIR", default_value = ".lookreel/simulator")]
    dir: PathBuf,
    /// Print one JSON line when it is ready.
    #[arg(long)]
    ready_json: bool,
    #[command(flatten)]
    behaviour: Behaviour,
}

/// Milliseconds, up to an hour.
fn delay() -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    value::whole(0..=3_600_000)
}

/// Settings of a simulator that behaves so.
pub fn settings(behaviour: &Behaviour, bind: SocketAddr, public_url: Option<Url>, dir: PathBuf) -> Settings {
    Settings {
        bind,
        public_url,
        state_dir: dir,
        still_delay_ms: behaviour.simulator_still_delay_ms,
        queue_delay_ms: behaviour.simulator_queue_delay_ms,
        clip_delay_ms: behaviour.simulator_clip_delay_ms,
        ..Settings::default()
    }
}

/// Runs the role `simulate`.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    let place = format!(
        "the simulator cannot start with SIMULATOR_LISTEN (--listen) `{}` and SIMULATOR_DIR (--dir) `{}`: expected an \
         address with a free port, and a folder it may write into",
        options.listen,
        options.dir.display()
    );
    let settings = settings(&options.behaviour, options.listen, options.public_url, options.dir);
    let simulator = Simulator::start(settings).await.context(place)?;
    if options.ready_json {
        say(&serde_json::json!({ "simulator_url": simulator.url() }).to_string());
    } else {
        say(&format!("The provider simulator answers on {}", simulator.url()));
    }
    stop.cancelled().await;
    simulator.stop().await;
    Ok(())
}
