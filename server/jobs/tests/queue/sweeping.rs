//! What the leader takes back and ends, and what it must leave alone.

use async_trait::async_trait;
use jobs::{Attempt, Error, Failure, Handler, Job, JobState, NewJob, Outcome, Schedule, Scope, Worker};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::stage::{Stage, end_of, job, quick, until, willing};
use crate::store;

/// The sweep reads, then decides on the row as it is when it writes: a job that its worker ends meanwhile has ended.
#[sqlx::test]
async fn a_sweep_that_comes_too_late_changes_nothing(pg: PgPool) {
    let stage = Stage::open(pg).await;
    // With none left it would be ended, otherwise taken back.
    for interruptions in [2, 0] {
        let actor = willing();
        let id = stage.commit(&job()).await;
        store::orphan(&stage.pg, id).await;
        store::interrupt(&stage.pg, id, interruptions).await;
        let mut late = stage.pg.begin().await.unwrap();
        store::succeed(&mut late, id).await;
        let worker = stage.worker(&actor);
        let sweep = tokio::spawn(async move { worker.step().await });
        until("the sweep to be over or to wait for the row", async || {
            sweep.is_finished() || store::count_waiting(&stage.pg, "update jobs").await > 0
        })
        .await;
        late.commit().await.unwrap();
        assert_eq!(end_of(sweep).await, 0, "nothing was there to run");
        assert_eq!(store::read(&stage.pg, id).await.state, "succeeded");
        assert_eq!(store::history(&stage.pg, id).await, ["running", "succeeded"]);
        assert!(actor.gone_codes().is_empty());
    }
}

#[sqlx::test]
async fn a_job_may_run_for_long_while_its_lease_is_renewed(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let id = stage.commit(&job()).await;
    store::orphan(&stage.pg, id).await;
    store::run_since(&stage.pg, id, 47).await;
    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 0);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.lease_epoch, row.interruptions), ("running", 1, 0));
}

#[sqlx::test]
async fn how_long_a_dead_lease_has_been_waiting_is_known(pg: PgPool) {
    let stage = Stage::open(pg).await;
    assert!(stage.queue.depth().await.unwrap().lease_overdue.is_zero());
    let id = stage.commit(&job()).await;
    store::orphan(&stage.pg, id).await;
    // A second ago, and nobody leads here.
    assert!(stage.queue.depth().await.unwrap().lease_overdue.as_millis() >= 1_000);
    stage.worker(&willing()).step().await.unwrap();
    assert!(stage.queue.depth().await.unwrap().lease_overdue.is_zero());
}

/// Lets go of some jobs only.
struct Clinging;

#[async_trait]
impl Handler for Clinging {
    async fn run(&self, _: &Attempt) -> Result<Outcome, Failure> {
        Ok(Outcome::Done)
    }

    async fn give_up(&self, _: &mut PgConnection, job: &Job, _: &Failure) -> Result<Vec<Uuid>, Error> {
        match job.payload["clings"].as_str() {
            Some("fails") => Err(Error::handler("not yet")),
            Some("panics") => panic!("not at all"),
            Some("hangs") => std::future::pending().await,
            _ => Ok(Vec::new()),
        }
    }
}

/// More of them than are looked at in one statement.
#[sqlx::test]
async fn a_handler_that_cannot_let_go_hides_no_other_job(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let clings = |how: &str| NewJob::new("act", "local", json!({ "clings": how }));
    let mut jobs = vec![clings("panics"), clings("hangs")];
    jobs.extend((0..120).map(|_| clings("fails")));
    // The last of them, in every order.
    jobs.push(job());
    let ids = stage.queue.submit(&jobs).await.unwrap();
    for id in &ids {
        store::pass_deadline(&stage.pg, *id).await;
    }
    // No worker starts them; they are the leader's.
    stage.queue.pause(&Scope::Everything, None, "").await.unwrap();
    let worker = Worker::new(stage.queue.clone(), quick()).with_handler("act", Clinging);
    assert_eq!(worker.step().await.unwrap(), 0);
    let status = stage.queue.status(ids[122]).await.unwrap().unwrap();
    assert_eq!(status.state, JobState::Failed);
    assert_eq!(status.last_failure.unwrap().0, Failure::TIMED_OUT);
    assert_eq!(store::count(&stage.pg, "queued").await, 122, "the others wait for a handler that can");
}

fn every_minute(name: &'static str, make: impl Fn() -> NewJob + Send + Sync + 'static) -> Schedule {
    Schedule::new(name, "* * * * *", chrono_tz::UTC, move |_| make()).unwrap()
}

/// Neither the other schedules nor what else the leader does.
#[sqlx::test]
async fn a_schedule_that_hangs_or_panics_stops_nothing_else(pg: PgPool) {
    let stage = Stage::open(pg).await;
    // Whoever enqueues the same key has to wait until this ends.
    let mut holder = stage.pg.begin().await.unwrap();
    jobs::enqueue(&mut holder, &job().dedupe_key("one at a time")).await.unwrap();
    let worker = stage.worker(&willing()).with_schedules([
        every_minute("hangs", || job().dedupe_key("one at a time")),
        every_minute("panics", || panic!("of all things")),
        every_minute("sound", || job().label("sound")),
    ]);
    assert_eq!(worker.step().await.unwrap(), 0, "new schedules begin with their next tick");
    for name in ["hangs", "panics", "sound"] {
        store::forget_tick(&stage.pg, name, 90).await;
    }
    let orphan = stage.commit(&job()).await;
    store::orphan(&stage.pg, orphan).await;
    assert!(worker.step().await.is_err(), "the first error is told");
    assert_eq!(store::count_waiting(&stage.pg, "insert into jobs").await, 0, "and no connection is left waiting");
    assert_eq!(store::read(&stage.pg, orphan).await.state, "queued", "taken back");
    assert_eq!(store::count(&stage.pg, "queued").await, 2, "the orphan, and the job of the sound one");

    holder.rollback().await.unwrap();
    assert!(worker.step().await.is_err(), "one still panics");
    assert_eq!(store::count(&stage.pg, "queued").await, 3, "nobody holds the key any more");
}
