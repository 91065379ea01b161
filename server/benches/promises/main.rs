//! Measures what the product promises and prints it as one table: figure, budget, verdict. It never fails because a
//! machine is slow; it fails when the product does not do what is measured.
//!
//! `make bench` runs it. By hand it needs `DATABASE_URL` (a role that may create databases), `REDIS_URL` and ffmpeg:
//! `cargo bench --package server --bench promises -- --runs 15`.
#![allow(clippy::print_stdout)]

mod api;
mod click;
mod delivery;
mod encode;
mod ffmpeg;
mod figures;
mod job_start;
mod load;
mod lookreel;
mod memory;
mod page;
mod processes;
mod site;
mod store;
mod storing;
mod table;
mod worker;

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Context as _;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use self::{ffmpeg::Journal, lookreel::Lookreel, table::Table};

/// Measured generations, after two that warm up.
const RUNS: usize = 15;
/// Measured job starts.
const STARTS: usize = 500;
/// Measured page requests.
const REQUESTS: usize = 2_000;

fn main() -> ExitCode {
    match ffmpeg::stand_in().and_then(|code| code.map_or_else(run, Ok)) {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "promises: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    // Two crates could bring different providers; one is chosen for the whole process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure_all())?;
    Ok(ExitCode::SUCCESS)
}

async fn measure_all() -> anyhow::Result<()> {
    let setting = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set; use `make bench`"));
    let ground = Ground {
        options: setting("DATABASE_URL")?.parse().context("DATABASE_URL is not an address")?,
        redis_url: setting("REDIS_URL")?,
        namespace: format!("bench-{}", Uuid::now_v7().simple()),
    };
    let runs = number_after("--runs")?.unwrap_or(RUNS);
    let mut table = Table::default();
    table.note(&format!(
        "{} build, {} processors, Postgres with fsync {}",
        if cfg!(debug_assertions) { "unoptimised" } else { "optimised" },
        std::thread::available_parallelism().map_or(0, usize::from),
        store::fsync(&ground.options).await?,
    ));
    let folder = tempfile::tempdir()?;
    encode::measure(folder.path(), &mut table).await?;
    // What one part cannot measure takes nothing from the others.
    let product = measure_product(&ground, folder.path(), runs, &mut table).await;
    let starts = job_start::measure(&ground, STARTS, &mut table).await;
    let stored = storing::measure(folder.path(), &mut table).await;
    let site = site::measure(&mut table);
    println!("\n{table}");
    product.and(starts).and(stored).and(site)
}

/// What the measured processes stand on.
struct Ground {
    options: PgConnectOptions,
    redis_url: String,
    /// Prefix of every Redis key of this run.
    namespace: String,
}

async fn measure_product(ground: &Ground, folder: &Path, runs: usize, table: &mut Table) -> anyhow::Result<()> {
    let database = store::create(&ground.options).await?;
    let measured = measure_lookreel(ground, &database, folder, runs, table).await;
    store::drop(&ground.options, &database).await?;
    measured
}

async fn measure_lookreel(
    ground: &Ground,
    database: &str,
    folder: &Path,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let journal = Journal::create(folder)?;
    let lookreel = Lookreel::start(ground, database, folder, &journal, &[]).await?;
    let measured = async {
        let product = click::measure(&lookreel, &journal, runs, table).await?;
        page::measure(&lookreel, &product, REQUESTS, table).await?;
        delivery::measure_hot(&product, folder, table).await?;
        delivery::measure_browser(&product, folder, table).await?;
        delivery::measure_hot_after_browser(&product, folder, table).await?;
        Ok(product)
    };
    let measured: anyhow::Result<_> = measured.await;
    let measured = measured.with_context(|| format!("Lookreel's last words:\n{}", lookreel.last_words()));
    lookreel.stop(Duration::from_secs(30)).await?;
    let product = measured?;
    // The same shop once more, where nothing is kept in memory.
    let lookreel = Lookreel::start(ground, database, folder, &journal, &[("MEDIA_CACHE_MIB", "0")]).await?;
    let measured = delivery::measure_cold(&lookreel, &product, table).await;
    let measured = measured.with_context(|| format!("Lookreel's last words:\n{}", lookreel.last_words()));
    let account = lookreel.ready.clone();
    lookreel.stop(Duration::from_secs(30)).await?;
    measured?;
    // And as two roles, each a process of its own.
    worker::measure(ground, database, folder, &account, table).await?;
    // Last, because it leaves thousands of videos waiting.
    let lookreel = Lookreel::start(ground, database, folder, &journal, &[]).await?;
    let measured = api::measure(&lookreel, table).await;
    let measured = measured.with_context(|| format!("Lookreel's last words:\n{}", lookreel.last_words()));
    lookreel.stop(Duration::from_secs(30)).await?;
    measured
}

/// The number after a flag of the command line; cargo adds flags of its own.
fn number_after(flag: &str) -> anyhow::Result<Option<usize>> {
    let Some(text) = std::env::args().skip_while(|argument| argument != flag).nth(1) else { return Ok(None) };
    Ok(Some(text.parse().ok().filter(|number| *number > 0).with_context(|| format!("{flag} takes a number above 0"))?))
}
