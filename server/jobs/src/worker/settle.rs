//! Writing down what a run came to: one guarded transition, tried until it is in Postgres or the lease is gone.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::counter;
use tokio::time::timeout;
use uuid::Uuid;

use super::attempt::time_left;
use super::{Core, MAX_INTERRUPTIONS, store};
use crate::{Attempt, Error, Failure, FailureClass};

/// Pauses between tries to write an outcome; the lease is still being renewed meanwhile.
const PAUSES_MS: [u64; 5] = [0, 100, 500, 2_000, 5_000];

/// An outage waits as long as after the second attempt, however long it has been going on: the end of it should not be
/// missed by minutes.
const OUTAGE_ATTEMPT: u16 = 2;

/// How long one try may take, the domain's own writes included.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What to write about a run.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Committed {
        dispatch: Vec<Uuid>,
    },
    Succeed,
    Park {
        until: DateTime<Utc>,
    },
    Release {
        interrupted: bool,
    },
    Fail(Failure),
    /// The lease is gone: nothing.
    Lost,
}

impl Verdict {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Committed { .. } => "committed",
            Self::Succeed => "done",
            Self::Park { .. } => "parks",
            Self::Release { .. } => "given back",
            Self::Fail(failure) => &failure.code,
            Self::Lost => "lease lost",
        }
    }
}

impl Core {
    /// Writes the verdict; returns the jobs to dispatch now, the job itself among them if it waits again.
    pub(crate) async fn settle(&self, attempt: &Attempt, verdict: Verdict, deadline: Instant) -> Vec<Uuid> {
        let id = attempt.job.id;
        for pause_ms in PAUSES_MS {
            if pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            let write = timeout(WRITE_TIMEOUT, self.write(attempt, &verdict, deadline));
            match write.await.unwrap_or(Err(Error::TimedOut)) {
                Ok(next) => return next,
                Err(Error::LeaseLost { .. }) => {
                    tracing::warn!(job.id = %id, "job {id} was taken away, its outcome is dropped");
                    return Vec::new();
                }
                Err(error) => tracing::error!(job.id = %id, %error, "the outcome of job {id} was not written: {error}"),
            }
        }
        // The lease runs out and the sweeper decides.
        Vec::new()
    }

    async fn write(&self, attempt: &Attempt, verdict: &Verdict, deadline: Instant) -> Result<Vec<Uuid>, Error> {
        let (id, lease) = (attempt.job.id, &attempt.lease);
        match verdict {
            Verdict::Lost => Err(Error::LeaseLost { job_id: id }),
            Verdict::Succeed => {
                self.succeed(attempt).await?;
                Ok(Vec::new())
            }
            Verdict::Park { until } => {
                let mut connection = self.queue.pg().acquire().await?;
                lease.park(&mut connection, *until).await?;
                Ok(vec![id])
            }
            Verdict::Committed { dispatch } => {
                if store::is_held(self.queue.pg(), lease).await? {
                    // The handler promised a transition and made none: without this it would look like a crash.
                    let failure = Failure::permanent("not_committed", "the handler said committed but moved nothing");
                    self.fail(attempt, &failure).await?;
                }
                let mut next = dispatch.clone();
                next.push(id);
                Ok(next)
            }
            Verdict::Release { interrupted: true } if attempt.job.interruptions + 1 >= MAX_INTERRUPTIONS => {
                self.fail(attempt, &Failure::permanent(Failure::WORKER_CRASHED, "given back too often")).await
            }
            Verdict::Release { interrupted } => {
                self.hold(attempt, store::release(self.queue.pg(), lease, *interrupted).await?)?;
                Ok(vec![id])
            }
            Verdict::Fail(failure) => self.fail_or_retry(attempt, failure, deadline).await,
        }
    }

    async fn fail_or_retry(&self, attempt: &Attempt, failure: &Failure, deadline: Instant) -> Result<Vec<Uuid>, Error> {
        let delay = match failure.class {
            FailureClass::Permanent | FailureClass::Cancelled => return self.fail(attempt, failure).await,
            FailureClass::RateLimited { retry_after: Some(pause) } => {
                counter!("jobs_rate_blocks_total", "group" => attempt.job.group.clone()).increment(1);
                // Its neighbours would be told the same.
                let group = &attempt.job.group;
                let slots = self.settings.limits.group_slots(group);
                if let Err(error) = self.queue.redis().block(group, pause, slots).await {
                    tracing::debug!(%error, "group {group} could not be paused");
                }
                attempt.wait_after(failure)
            }
            FailureClass::RateLimited { retry_after: None } | FailureClass::Transient => attempt.wait_after(failure),
            FailureClass::Outage => self.settings.backoff(OUTAGE_ATTEMPT),
        };
        let is_outage = failure.class == FailureClass::Outage;
        let is_last = !is_outage && attempt.job.attempt >= attempt.job.max_attempts;
        if is_last || delay >= time_left(deadline) {
            return self.fail(attempt, failure).await;
        }
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let again = store::Again { delay_ms, counts: !is_outage, code: &failure.code, message: &failure.message };
        self.hold(attempt, store::retry(self.queue.pg(), &attempt.lease, &again).await?)?;
        Ok(vec![attempt.job.id])
    }

    /// The end, and whatever it means for the domain, in one transaction.
    async fn fail(&self, attempt: &Attempt, failure: &Failure) -> Result<Vec<Uuid>, Error> {
        let state = if failure.class == FailureClass::Cancelled { "cancelled" } else { "failed" };
        let mut tx = self.queue.pg().begin().await?;
        let held = store::finish(&mut tx, &attempt.lease, state, &failure.code, &failure.message).await?;
        self.hold(attempt, held)?;
        let next = self.give_up(&mut tx, &attempt.job, failure).await?;
        tx.commit().await?;
        Ok(next)
    }

    fn hold(&self, attempt: &Attempt, held: bool) -> Result<(), Error> {
        if held { Ok(()) } else { Err(Error::LeaseLost { job_id: attempt.job.id }) }
    }
}
