//! The job that sends one message: tried at growing intervals, each try written down.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use domain::DeliveryId;
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use providers::{Deliverer, DeliveryAnswer};
use serde::Deserialize;
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use super::store::{self, Pending, Tried};
use crate::{Engine, Error};

/// How long after a try that came to nothing the next follows, in seconds: eight tries in a day and a half.
const WAITS_SECS: [i64; 7] = [5, 30, 300, 1_800, 7_200, 28_800, 86_400];
/// Why what was not sent yet is given up when the address wants to hear nothing any more.
const GONE: &str = "the address answered 410 and is told nothing more";
/// Whatever the waits: after so long it is given up.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_secs(72 * 3_600);

/// What a worker must be given to send webhooks.
pub(crate) fn handler(engine: &Engine) -> (&'static str, Arc<dyn Handler>) {
    (super::KIND, Arc::new(Send { engine: engine.clone(), deliverer: OnceCell::new() }))
}

struct Send {
    engine: Engine,
    deliverer: OnceCell<Deliverer>,
}

#[derive(Deserialize)]
struct Payload {
    delivery_id: DeliveryId,
}

/// What follows from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Delivered,
    Again {
        after_secs: i64,
    },
    GivenUp,
    /// The address wants to hear nothing any more (410).
    Gone,
}

#[async_trait]
impl Handler for Send {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        let Payload { delivery_id } = attempt.job.payload_as()?;
        let mut conn = self.engine.pg().acquire().await?;
        let pending = store::pending(&mut conn, delivery_id).await?;
        drop(conn);
        // It was removed, or given up with everything else its address was to be told.
        let Some(pending) = pending else { return Ok(Outcome::Done) };
        if pending.is_disabled {
            // It was written down while the address answered 410.
            let mut tx = self.engine.pg().begin().await?;
            attempt.lease.succeed(&mut tx).await?;
            store::give_up(&mut tx, delivery_id, GONE).await?;
            tx.commit().await?;
            return Ok(Outcome::Committed { dispatch: Vec::new() });
        }
        let answer = self.send(&pending).await?;
        let next = next_of(pending.tries, answer.as_ref().ok());
        let tried = Tried {
            status: answer.as_ref().ok().map(|answer| answer.status),
            error: answer.as_ref().err().map(String::as_str),
            next_try_at: match next {
                Next::Again { after_secs } => Some(Utc::now() + TimeDelta::seconds(after_secs)),
                _ => None,
            },
            is_delivered: next == Next::Delivered,
        };
        self.write(attempt, &pending, next, &tried).await?;
        if next == Next::GivenUp {
            tracing::warn!(delivery.id = %delivery_id, "webhook {delivery_id} was not taken and is given up");
        }
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        let Payload { delivery_id } = job.payload_as()?;
        store::give_up(tx, delivery_id, &failure.message).await.map_err(jobs::Error::Database)?;
        Ok(Vec::new())
    }
}

impl Send {
    /// Writes a try down and ends this run, in one transaction: whoever sends the message again later finds no job of it.
    async fn write(&self, attempt: &Attempt, pending: &Pending, next: Next, tried: &Tried<'_>) -> Result<(), Failure> {
        let mut tx = self.engine.pg().begin().await?;
        match tried.next_try_at {
            Some(until) => attempt.lease.park(&mut tx, until).await?,
            None => attempt.lease.succeed(&mut tx).await?,
        }
        // The address before its messages, as whoever removes it locks them.
        if next == Next::Gone {
            store::disable_endpoint(&mut tx, pending.endpoint).await?;
        }
        store::write_try(&mut tx, pending.id, tried).await?;
        if next == Next::Gone {
            store::fail_pending(&mut tx, pending.endpoint, GONE).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The answer, or why there is none.
    async fn send(&self, pending: &Pending) -> Result<Result<DeliveryAnswer, String>, Failure> {
        let allow_loopback = self.engine.settings().webhooks_to_loopback;
        let deliverer = self.deliverer.get_or_try_init(async || Deliverer::new(allow_loopback)).await;
        let deliverer =
            deliverer.map_err(|error| Failure::transient("no_client", Error::internal(error).to_string()))?;
        let Ok(url) = Url::parse(&pending.url) else { return Ok(Err("the address is none".to_owned())) };
        let now = Utc::now().timestamp();
        let body = super::body(&pending.event, pending.created_at, &pending.payload);
        let key = super::signing_key(self.engine.settings(), pending.endpoint);
        let headers = [
            ("webhook-id", pending.id.to_string()),
            ("webhook-timestamp", now.to_string()),
            ("webhook-signature", super::signature(&key, pending.id, now, &body)),
        ];
        Ok(deliverer.post(&url, &headers, body).await)
    }
}

fn next_of(tries_before: u16, answer: Option<&DeliveryAnswer>) -> Next {
    match answer {
        Some(answer) if answer.is_taken() => return Next::Delivered,
        Some(DeliveryAnswer { status: 410, .. }) => return Next::Gone,
        _ => {}
    }
    let asked = answer.and_then(|answer| answer.retry_after).and_then(|wait| i64::try_from(wait.as_secs()).ok());
    match WAITS_SECS.get(usize::from(tries_before)) {
        Some(wait) => Next::Again { after_secs: asked.unwrap_or(0).max(*wait) },
        None => Next::GivenUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after_secs: Option<u64>) -> DeliveryAnswer {
        DeliveryAnswer { status, retry_after: retry_after_secs.map(Duration::from_secs) }
    }

    #[test]
    fn a_message_is_sent_until_it_is_taken_or_its_tries_are_used_up() {
        assert_eq!(next_of(0, Some(&answer(204, None))), Next::Delivered);
        assert_eq!(next_of(0, Some(&answer(500, None))), Next::Again { after_secs: 5 });
        assert_eq!(next_of(2, Some(&answer(302, None))), Next::Again { after_secs: 300 }, "no redirect is followed");
        assert_eq!(next_of(1, None), Next::Again { after_secs: 30 });
        assert_eq!(next_of(1, Some(&answer(429, Some(600)))), Next::Again { after_secs: 600 });
        assert_eq!(next_of(3, Some(&answer(503, Some(1)))), Next::Again { after_secs: 1_800 });
        assert_eq!(next_of(7, None), Next::GivenUp);
        assert_eq!(next_of(0, Some(&answer(410, None))), Next::Gone);
        let all: i64 = WAITS_SECS.iter().sum();
        assert!(u64::try_from(all).is_ok_and(|all| all < GIVEN_UP_AFTER.as_secs()));
    }
}
