//! A sign-up. One transaction writes an account and the job of its welcome letter. The letter is tried again when the mail
//! server is busy, then waits for its reader without holding a worker, and is done when she answers. Meanwhile a schedule
//! counts the accounts.
//!
//! Needs an empty database: `DATABASE_URL=… REDIS_URL=… cargo run --package jobs --example signup`.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use jobs::{
    Attempt, Error, Failure, Handler, Job, JobState, NewJob, Outcome, Queue, RedisSettings, Schedule, Worker,
    WorkerSettings,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// What the job of a letter needs to know.
#[derive(Serialize, Deserialize)]
struct Letter {
    account: i64,
    address: String,
}

/// Sends a letter and waits for the answer.
struct Welcome {
    pg: PgPool,
}

#[async_trait]
impl Handler for Welcome {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        let letter: Letter = attempt.job.payload_as()?;
        if has_answered(&self.pg, letter.account).await? {
            println!("done      {} has answered", letter.address);
            return Ok(Outcome::Done);
        }
        if attempt.job.attempt == 1 {
            println!("retry     the mail server is busy");
            return Err(Failure::transient("mail_busy", "421 try again later"));
        }
        println!("park      the letter to {} is out; nobody has to wait for the answer", letter.address);
        Ok(Outcome::Park { until: Utc::now() + TimeDelta::days(7) })
    }

    /// Had there been no attempt left, this would be the place to write it down, in the same transaction.
    async fn give_up(&self, _tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, Error> {
        println!("given up  {}: {}", job.id, failure.message);
        Ok(Vec::new())
    }
}

/// Counts the accounts.
struct Census {
    pg: PgPool,
    counted: Arc<Notify>,
}

#[async_trait]
impl Handler for Census {
    async fn run(&self, _attempt: &Attempt) -> Result<Outcome, Failure> {
        let accounts: i64 = sqlx::query_scalar("select count(*) from accounts").fetch_one(&self.pg).await?;
        println!("schedule  {accounts} accounts");
        self.counted.notify_one();
        Ok(Outcome::Done)
    }
}

#[tokio::main]
async fn main() -> Fallible<()> {
    let pg = PgPool::connect(&std::env::var("DATABASE_URL")?).await?;
    run(pg, &std::env::var("REDIS_URL")?).await
}

/// Everything from the tables to a clean stop.
pub async fn run(pg: PgPool, redis_url: &str) -> Fallible<()> {
    jobs::migrate(&pg).await?;
    create_accounts(&pg).await?;
    let queue = Queue::connect(pg.clone(), RedisSettings::new(redis_url, "signup")).await?;

    // A worker; others like it may run on other machines.
    let counted = Arc::new(Notify::new());
    let every_other_second = |_| NewJob::new("census", "local", json!({}));
    let census = Schedule::new("census", "*/2 * * * * *", chrono_tz::UTC, every_other_second)?;
    let worker = Worker::new(queue.clone(), WorkerSettings { retry_base_secs: 1, ..WorkerSettings::default() })
        .with_handler("welcome", Welcome { pg: pg.clone() })
        .with_handler("census", Census { pg: pg.clone(), counted: counted.clone() })
        .with_schedules([census]);
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));

    // The account and its job: both or neither.
    let mut tx = pg.begin().await?;
    let address = "ada@example.com".to_owned();
    let letter = Letter { account: insert_account(&mut tx, &address).await?, address };
    let job = NewJob::new("welcome", "mail", serde_json::to_value(&letter)?)
        .max_attempts(5)
        .dedupe_key(format!("welcome {}", letter.account));
    let id = jobs::enqueue(&mut tx, &job).await?;
    tx.commit().await?;
    queue.dispatch(&[id]).await;
    println!("enqueue   account {} and its letter, in one transaction", letter.account);
    wait_until(&queue, id, JobState::Parked).await?;

    // She answers: what the job finds and its wake, both or neither again.
    let mut tx = pg.begin().await?;
    note_answer(&mut tx, letter.account).await?;
    jobs::wake(&mut tx, id).await?;
    println!("wake      she answers");
    tx.commit().await?;
    queue.dispatch(&[id]).await;
    wait_until(&queue, id, JobState::Succeeded).await?;
    timeout(Duration::from_secs(30), counted.notified()).await?;

    // No new job starts; those that run may finish, and what takes longer than the grace time is given back.
    stop.cancel();
    running.await??;
    queue.close().await;
    println!("stop      no job was left running");
    Ok(())
}

async fn wait_until(queue: &Queue, id: Uuid, wanted: JobState) -> Fallible<()> {
    let look = async {
        while queue.status(id).await?.is_none_or(|status| status.state != wanted) {
            sleep(Duration::from_millis(50)).await;
        }
        Fallible::Ok(())
    };
    timeout(Duration::from_secs(30), look).await?
}

async fn create_accounts(pg: &PgPool) -> sqlx::Result<()> {
    let table = "create table if not exists accounts
                 (id bigint generated always as identity, address text not null, answered boolean not null default false)";
    sqlx::query(table).execute(pg).await?;
    Ok(())
}

async fn insert_account(tx: &mut PgConnection, address: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("insert into accounts (address) values ($1) returning id").bind(address).fetch_one(tx).await
}

async fn has_answered(pg: &PgPool, account: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select answered from accounts where id = $1").bind(account).fetch_one(pg).await
}

async fn note_answer(tx: &mut PgConnection, account: i64) -> sqlx::Result<()> {
    sqlx::query("update accounts set answered = true where id = $1").bind(account).execute(tx).await?;
    Ok(())
}
