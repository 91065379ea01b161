//! Pauses: everything, a kind, a family, a group, a label.

use chrono::{TimeDelta, Utc};
use jobs::{Limits, NewJob, Outcome, Scope, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::{Actor, NO_REDIS, Stage, job, quick, until, willing};
use crate::store;

#[sqlx::test]
async fn each_scope_pauses_its_own_until_it_is_resumed(pg: PgPool) {
    for redis in [None, Some(NO_REDIS)] {
        let stage = match redis {
            None => Stage::open(pg.clone()).await,
            Some(url) => Stage::open_at(pg.clone(), url.into()).await,
        };
        let settings = WorkerSettings { concurrency: 20, limits: Limits::of_any_group(20), ..quick() };
        let worker = stage.worker_with(&willing(), settings);
        let scopes = [
            (Scope::Everything, 3),
            (Scope::Kind("act".into()), 3),
            (Scope::Family("fal".into()), 2),
            (Scope::Group("fal/pika".into()), 1),
            (Scope::Label("recipe-b".into()), 1),
        ];
        for (scope, concerned) in scopes {
            // Some are in Redis when the pause comes, and some come while it holds.
            for paused in [false, true] {
                if paused {
                    stage.queue.pause(&scope, None, "because").await.unwrap();
                }
                // Submitted as dispatched already, the first of them; the others as not yet.
                let first = NewJob::new("act", "fal/pika", json!({})).label("recipe-a");
                let second = NewJob::new("act", "fal/wan", json!({})).label("recipe-b");
                stage.queue.submit(&[first, second.clone(), job()]).await.unwrap();
                for job in [NewJob::new("act", "fal/pika", json!({})), second.id(Uuid::now_v7()), job()] {
                    stage.enqueue(&job).await;
                }
            }
            assert_eq!(worker.step().await.unwrap(), 4 * (3 - concerned), "{scope:?} with redis at {redis:?}");
            assert_eq!(worker.step().await.unwrap(), 0, "{scope:?} holds");
            assert!(stage.queue.resume(&scope).await.unwrap());
            assert!(!stage.queue.resume(&scope).await.unwrap(), "there is one pause per scope");
            assert_eq!(worker.step().await.unwrap(), 4 * concerned, "{scope:?} is over");
        }
    }
}

/// Redis is told of pauses after Postgres: what it still proposes must be refused there.
#[sqlx::test]
async fn what_redis_proposes_too_late_does_not_start(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing());
    assert_eq!(worker.step().await.unwrap(), 0);
    stage.enqueue(&job()).await;
    store::pause_everything(&stage.pg).await;
    assert_eq!(worker.step().await.unwrap(), 0, "paused after it was pushed");
    assert!(stage.queue.resume(&Scope::Everything).await.unwrap());
    assert_eq!(worker.step().await.unwrap(), 1);

    let id = stage.enqueue(&job()).await;
    store::put_off(&stage.pg, id).await;
    assert_eq!(worker.step().await.unwrap(), 0, "put off after it was pushed");
    assert_eq!(store::read(&stage.pg, id).await.state, "queued");
}

#[sqlx::test]
async fn parked_jobs_go_on_in_a_pause(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |attempt| {
        Ok(if attempt.job.payload["parks"] == true && attempt.lease.epoch() == 1 {
            Outcome::Park { until: Utc::now() + TimeDelta::hours(1) }
        } else {
            Outcome::Done
        })
    });
    let running = stage.start(&actor, quick());
    let id = stage.enqueue(&NewJob { payload: json!({ "parks": true }), ..job() }).await;
    stage.wait_for_state(id, "parked").await;
    stage.queue.pause(&Scope::Everything, None, "maintenance").await.unwrap();
    let other = stage.enqueue(&job()).await;
    let mut tx = stage.pg.begin().await.unwrap();
    jobs::wake(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    stage.queue.dispatch(&[id]).await;
    stage.wait_for_state(id, "succeeded").await;
    assert_eq!(store::read(&stage.pg, other).await.state, "queued", "what has not begun waits");
    let pauses = stage.queue.list_pauses().await.unwrap();
    assert_eq!((pauses[0].scope.clone(), pauses[0].reason.as_str()), (Scope::Everything, "maintenance"));
    stage.queue.resume(&Scope::Everything).await.unwrap();
    until("the other to run", async || store::read(&stage.pg, other).await.state == "succeeded").await;
    running.end().await;
}
