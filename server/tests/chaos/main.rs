//! Chaos: workers, the server, Redis and Postgres are killed, stopped, wiped and woken in an order a seed decides, while
//! people click, retry, cancel and pause, and providers misbehave. Afterwards nothing may be lost, run twice at once, opened
//! again or paid twice.
//!
//! `CHAOS_SEED` repeats the decisions of a run, `CHAOS_ROUNDS` makes it longer. A run that fails keeps what it had: logs,
//! rounds, a dump of the database; it says where. Needs redis-server, Postgres and ffmpeg.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A long run tells where it is.
#![allow(clippy::print_stderr)]

mod bill;
#[path = "../edge/browser.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod browser;
#[path = "../edge/click.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod click;
mod clicks;
mod cluster;
mod crowd;
mod evidence;
#[path = "../edge/house.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod house;
mod pauses;
mod plan;
#[path = "../edge/program.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod program;
mod relay;
mod rules;
#[path = "../edge/store.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod store;
mod town;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crowd::{Crowd, Deeds};
use plan::Plan;
use town::Town;

/// How long everything may take to settle once nothing goes wrong any more.
const SETTLE: Duration = Duration::from_secs(240);
/// Progress is told, and what must always be true is looked at, every so many rounds.
const TELL_EVERY: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_run_twice_or_paid_twice() {
    let plan = Plan::from_environment();
    let (seed, rounds) = (plan.seed, plan.rounds.len());
    eprintln!("chaos: CHAOS_SEED={seed} CHAOS_ROUNDS={rounds}");
    let begun = Instant::now();
    let mut town = Town::build(&plan).await;
    let crowd = Crowd::new(&town, plan.crowd());
    let (deeds, stop) = (crowd.deeds(), CancellationToken::new());
    let people = tokio::spawn(crowd.live(stop.clone()));
    let mut faults = BTreeMap::new();
    for (at, round) in plan.rounds.iter().enumerate() {
        if at % TELL_EVERY == 0 {
            eprintln!("chaos: {}, {}", progress(begun, at, rounds), told(&deeds));
            look(&town, seed, at).await;
        }
        assert!(!people.is_finished(), "nobody clicks any more: seed {seed}, {:?}", people.await);
        *faults.entry(round.fault).or_insert(0_u32) += 1;
        town.note(&format!("{:>6} ms  round {at}: {round:?}", begun.elapsed().as_millis()));
        town.suffer(round).await;
    }
    town.calm().await;
    stop.cancel();
    people.await.unwrap();
    settle(&town, seed).await;
    judge(&town, &deeds, seed).await;
    eprintln!("chaos: {} s, {rounds} rounds with seed {seed}, {}", begun.elapsed().as_secs(), told(&deeds));
    eprintln!(
        "chaos: {}",
        faults.iter().map(|(fault, times)| format!("{times} {fault:?}")).collect::<Vec<_>>().join(", ")
    );
}

fn progress(begun: Instant, at: usize, rounds: usize) -> String {
    let spent = begun.elapsed();
    let left = spent.checked_div(u32::try_from(at).unwrap()).map(|each| each * u32::try_from(rounds - at).unwrap());
    let left = left.map_or(String::new(), |left| format!(", about {} s to go", left.as_secs()));
    format!("{:>4} s, round {at} of {rounds}{left}", spent.as_secs())
}

fn told(deeds: &Mutex<Deeds>) -> String {
    let deeds = deeds.lock().unwrap();
    let (clicks, retries) = (deeds.clicks.len(), clicks::count_retries(&deeds.clicks));
    format!("{clicks} clicks, {retries} of them on retry, {} pauses", deeds.holds.len())
}

/// What must be true in the middle of it, so that a run ends soon after the round that broke it.
async fn look(town: &Town, seed: u64, at: usize) {
    let found = rules::broken_meanwhile(&mut town.ground.database.connect().await).await;
    assert!(found.is_empty(), "seed {seed}, before round {at}: broken promises\n{}", found.join("\n"));
}

/// Waits until no generation and no job is under way.
async fn settle(town: &Town, seed: u64) {
    let begun = Instant::now();
    let database = &town.ground.database;
    let mut told = Duration::ZERO;
    loop {
        let live = database.number("select count(*) from generations where finished_at is null").await;
        let jobs = database.number("select count(*) from jobs where finished_at is null").await;
        if live + jobs == 0 {
            return;
        }
        let spent = begun.elapsed();
        if spent > told {
            eprintln!("chaos: calm for {} s, {live} generations and {jobs} jobs under way", spent.as_secs());
            told += Duration::from_secs(10);
        }
        assert!(spent < SETTLE, "it does not settle, seed {seed}\n{}", town.last_words());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Everything that must be true now.
async fn judge(town: &Town, deeds: &Arc<Mutex<Deeds>>, seed: u64) {
    let mut connection = town.ground.database.connect().await;
    let mut found = rules::broken(&mut connection).await;
    let deeds = deeds.lock().unwrap().clone();
    found.extend(clicks::lost(&mut connection, &deeds.clicks).await);
    found.extend(pauses::broken(&mut connection, &deeds.holds).await);
    let invoice = house::invoice(&town.simulator).await;
    let (differences, sums) = bill::differences(&mut connection, &invoice, &town.ground.dir.join("simulator")).await;
    found.extend(differences);
    let ends: Vec<(String, i64)> =
        sqlx::query_as("select state, count(*) from generations group by state order by state")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let why = "select failure_code || ' (' || coalesce(left(failure_detail, 60), '') || ')', count(*) from generations
         where state = 'failed' group by 1 order by 2 desc";
    let why: Vec<(String, i64)> = sqlx::query_as(why).fetch_all(&mut connection).await.unwrap();
    let doubts = town.ground.database.number("select count(*) from ledger_entries where assumed").await;
    let taken = town.ground.database.number("select count(*) from job_events where code = 'interrupted'").await;
    let retried = town.ground.database.number("select count(*) from generations where retry_of is not null").await;
    eprintln!("chaos: {ends:?}, failed by {why:?}, {doubts} calls in doubt, {taken} jobs taken from silent workers");
    eprintln!("chaos: {retried} retries, {} webhooks, {sums:?}", town.relay.seen());
    assert!(found.is_empty(), "seed {seed} breaks {} promises:\n{}", found.len(), found.join("\n"));
    let completed = ends.iter().find(|(state, _)| state == "completed").map_or(0, |(_, count)| *count);
    let deeds_tell = retried > 0 && !deeds.holds.is_empty();
    assert!(
        completed > 0 && taken > 0 && town.relay.seen() > 0 && deeds_tell,
        "seed {seed}: nothing was put to the test"
    );
}
