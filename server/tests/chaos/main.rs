//! Chaos: workers, the server, Redis and Postgres are killed, stopped, wiped and woken in an order a seed decides, while
//! people click and providers misbehave. Afterwards nothing may be lost, run twice at once, opened again or paid twice.
//!
//! `CHAOS_SEED` repeats the decisions of a run, `CHAOS_ROUNDS` makes it longer. Needs redis-server, Postgres and ffmpeg.
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
mod cluster;
mod crowd;
#[path = "../edge/house.rs"]
#[allow(dead_code, reason = "shared with the tests of the front door")]
mod house;
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

use crowd::{Click, Crowd};
use plan::Plan;
use town::Town;

/// How long everything may take to settle once nothing goes wrong any more.
const SETTLE: Duration = Duration::from_secs(240);
/// Progress is told every so many rounds.
const TELL_EVERY: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_run_twice_or_paid_twice() {
    let plan = Plan::from_environment();
    let (seed, rounds) = (plan.seed, plan.rounds.len());
    eprintln!("chaos: CHAOS_SEED={seed} CHAOS_ROUNDS={rounds}");
    let begun = Instant::now();
    let mut town = Town::build(&plan).await;
    let crowd = Crowd::new(&town, plan.crowd());
    let (clicks, stop) = (crowd.clicks(), CancellationToken::new());
    let people = tokio::spawn(crowd.live(stop.clone()));
    let mut faults = BTreeMap::new();
    for (at, round) in plan.rounds.iter().enumerate() {
        if at % TELL_EVERY == 0 {
            let (secs, clicks) = (begun.elapsed().as_secs(), clicks.lock().unwrap().len());
            eprintln!("chaos: {secs:>4} s, round {at} of {rounds}, {clicks} clicks");
        }
        assert!(!people.is_finished(), "nobody clicks any more: seed {seed}, {:?}", people.await);
        *faults.entry(round.fault).or_insert(0_u32) += 1;
        town.suffer(round).await;
    }
    town.calm().await;
    stop.cancel();
    people.await.unwrap();
    settle(&town, seed).await;
    judge(&town, &clicks, seed).await;
    eprintln!("chaos: {} s, {rounds} rounds with seed {seed}, {faults:?}", begun.elapsed().as_secs());
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
async fn judge(town: &Town, clicks: &Arc<Mutex<Vec<Click>>>, seed: u64) {
    let mut connection = town.ground.database.connect().await;
    let mut found = rules::broken(&mut connection).await;
    let clicks = clicks.lock().unwrap().clone();
    found.extend(lost_clicks(&mut connection, &clicks).await);
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
    eprintln!("chaos: {ends:?}, failed by {why:?}, {doubts} calls in doubt, {taken} jobs taken from silent workers");
    eprintln!("chaos: {} webhooks, {sums:?}", town.relay.seen());
    assert!(found.is_empty(), "seed {seed} breaks {} promises:\n{}", found.len(), found.join("\n"));
    let completed = ends.iter().find(|(state, _)| state == "completed").map_or(0, |(_, count)| *count);
    assert!(completed > 0 && taken > 0 && town.relay.seen() > 0, "seed {seed}: nothing was put to the test");
}

/// Each click made one generation, and nothing else did.
async fn lost_clicks(connection: &mut sqlx::PgConnection, clicks: &[Click]) -> Vec<String> {
    let made: Vec<(uuid::Uuid, uuid::Uuid)> =
        sqlx::query_as("select request_key, id from generations").fetch_all(connection).await.unwrap();
    let made: BTreeMap<_, _> = made.into_iter().collect();
    let lost = clicks.iter().filter(|click| made.get(&click.key).copied() != click.generation);
    let mut found: Vec<String> = lost.map(|click| format!("a click is lost: {click:?}")).collect();
    if made.len() != clicks.len() {
        found.push(format!("{} clicks made {} generations", clicks.len(), made.len()));
    }
    found
}
