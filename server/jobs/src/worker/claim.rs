//! Claiming: Redis proposes, Postgres confirms; without Redis, Postgres does both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::roster::{Entry, Signal};
use super::store::JobRow;
use super::{Core, store};
use crate::redis::{ClaimAnswer, ClaimRequest};
use crate::{Error, Job, Lease};

/// Proposals Postgres did not take are offered again after this pause, if they still wait.
const OFFER_AGAIN: Duration = Duration::from_millis(250);

/// A job this worker may run.
pub(crate) struct Claimed {
    pub(crate) job: Job,
    pub(crate) lease: Lease,
    pub(crate) signal: Arc<Signal>,
    pub(crate) remaining: Duration,
    pub(crate) cancel_requested: bool,
    pub(crate) claimed_at: Instant,
}

/// What a claim brought.
pub(crate) struct Claims {
    pub(crate) jobs: Vec<Claimed>,
    /// When asking again can be worth it even if nothing wakes us.
    pub(crate) next: Option<Duration>,
}

impl Core {
    /// Claims up to `count` jobs.
    pub(crate) async fn claim(&self, count: usize) -> Result<Claims, Error> {
        match self.propose(count).await {
            Ok(ClaimAnswer::Proposed { ids, next }) => {
                let jobs = if ids.is_empty() { Vec::new() } else { self.confirm(ids).await? };
                Ok(Claims { jobs, next })
            }
            Ok(ClaimAnswer::WrongEpoch) => self.claim_without_redis(count).await,
            Err(error) => {
                tracing::debug!(%error, "claiming from postgres: {error}");
                self.claim_without_redis(count).await
            }
        }
    }

    async fn propose(&self, count: usize) -> Result<ClaimAnswer, Error> {
        let ask = async |epoch| {
            let request =
                ClaimRequest { epoch, worker: self.id, count, lease_ms: self.settings.lease_ms(), slots: &self.slots };
            self.queue.redis().claim(&request).await
        };
        let known = self.queue.epoch();
        let answer = ask(known).await?;
        if matches!(answer, ClaimAnswer::WrongEpoch) {
            let current = self.queue.refresh_epoch().await?;
            if current != known {
                return ask(current).await;
            }
        }
        Ok(answer)
    }

    async fn confirm(&self, proposed: Vec<(Uuid, String)>) -> Result<Vec<Claimed>, Error> {
        let asked_at = Instant::now();
        let ids: Vec<Uuid> = proposed.iter().map(|(id, _)| *id).collect();
        let rows = store::confirm(self.queue.pg(), &ids, &self.kinds, self.id, self.settings.lease_ms()).await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                // The reconciler offers the ids again.
                self.free_slots(proposed).await;
                return Err(error.into());
            }
        };
        let refused: Vec<(Uuid, String)> = proposed
            .into_iter()
            .filter(|(id, _)| !self.roster.contains(*id) && rows.iter().all(|row| row.id != *id))
            .collect();
        if !refused.is_empty() {
            self.offer_again(refused).await;
        }
        Ok(self.enroll(rows, asked_at, true))
    }

    async fn offer_again(&self, refused: Vec<(Uuid, String)>) {
        let ids: Vec<Uuid> = refused.iter().map(|(id, _)| *id).collect();
        self.free_slots(refused).await;
        if let Err(error) = self.queue.push(&ids, OFFER_AGAIN).await {
            tracing::debug!(%error, "the reconciler offers {} jobs again", ids.len());
        }
    }

    async fn claim_without_redis(&self, count: usize) -> Result<Claims, Error> {
        let asked_at = Instant::now();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let lease_ms = self.settings.lease_ms();
        let rows = store::claim_waiting(self.queue.pg(), count, &self.slots, &self.kinds, self.id, lease_ms).await?;
        Ok(Claims { jobs: self.enroll(rows, asked_at, false), next: None })
    }

    fn enroll(&self, rows: Vec<JobRow>, asked_at: Instant, slotted: bool) -> Vec<Claimed> {
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let lease = Lease { job_id: row.id, epoch: row.lease_epoch, worker: self.id };
            let signal = Arc::new(Signal::default());
            let entry =
                Entry { lease, group: row.group_name.clone(), signal: signal.clone(), renewed_at: asked_at, slotted };
            if !self.roster.add(entry) {
                tracing::error!(job.id = %row.id, "job {} was claimed while it still runs here; its lease is left to run out", row.id);
                continue;
            }
            let (remaining, cancel_requested) = (row.remaining(), row.cancel_requested);
            claimed.push(Claimed {
                job: row.into_job(),
                lease,
                signal,
                remaining,
                cancel_requested,
                claimed_at: asked_at,
            });
        }
        claimed
    }

    pub(crate) async fn free_slots(&self, jobs: Vec<(Uuid, String)>) {
        if let Err(error) = self.queue.redis().release(self.id, &jobs).await {
            tracing::debug!(%error, "{} slots are left to expire", jobs.len());
        }
    }
}
