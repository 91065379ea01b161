//! Claiming: Redis proposes, Postgres confirms; without Redis, Postgres does both.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::roster::{Entry, Signal};
use super::store::{DueRow, JobRow, RunningRow};
use super::{Core, store};
use crate::limits::Counts;
use crate::redis::{ClaimAnswer, ClaimRequest, Place};
use crate::{Error, Job, Lease};

/// Proposals Postgres did not take are offered again after this pause, if they still wait.
const OFFER_AGAIN: Duration = Duration::from_millis(250);

/// Without Redis, jobs of a group looked at beyond those asked for: some may wait for their owner.
const HELD_BACK: i64 = 100;

/// A job this worker may run.
pub(crate) struct Claimed {
    pub(crate) job: Job,
    pub(crate) lease: Lease,
    pub(crate) signal: Arc<Signal>,
    pub(crate) remaining: Duration,
    /// How long it could have run already.
    pub(crate) waited: Duration,
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
            Ok(ClaimAnswer::Proposed { jobs, next }) => {
                let jobs = if jobs.is_empty() { Vec::new() } else { self.confirm(jobs).await? };
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
        // A claim whose answer never came is asked for again: what it took is not lost until somebody notices.
        let unanswered = || self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = unanswered().take().unwrap_or_else(Uuid::new_v4);
        let answer = self.ask(count, ticket).await;
        if answer.is_err() {
            *unanswered() = Some(ticket);
        }
        answer
    }

    async fn ask(&self, count: usize, ticket: Uuid) -> Result<ClaimAnswer, Error> {
        let ask = async |epoch| {
            let (lease_ms, limits) = (self.settings.lease_ms(), self.limits_json.as_str());
            let request = ClaimRequest { epoch, worker: self.id, ticket, count, lease_ms, limits };
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

    async fn confirm(&self, proposed: Vec<Place>) -> Result<Vec<Claimed>, Error> {
        let asked_at = Instant::now();
        let ids: Vec<Uuid> = proposed.iter().map(|place| place.id).collect();
        let rows = store::confirm(self.queue.pg(), &ids, &self.kinds, self.id, self.settings.lease_ms()).await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                // The reconciler offers the ids again.
                self.free(proposed).await;
                return Err(error.into());
            }
        };
        let started: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let refused: Vec<Place> = proposed
            .into_iter()
            .filter(|place| !started.contains(&place.id) && !self.roster.contains(place.id))
            .collect();
        if !refused.is_empty() {
            self.offer_again(refused).await;
        }
        Ok(self.enroll(rows, asked_at, true))
    }

    async fn offer_again(&self, refused: Vec<Place>) {
        let ids: Vec<Uuid> = refused.iter().map(|place| place.id).collect();
        self.free(refused).await;
        if let Err(error) = self.queue.push(&ids, OFFER_AGAIN).await {
            tracing::debug!(%error, "the reconciler offers {} jobs again", ids.len());
        }
    }

    async fn claim_without_redis(&self, count: usize) -> Result<Claims, Error> {
        let asked_at = Instant::now();
        let lease_ms = self.settings.lease_ms();
        let mut tx = self.queue.pg().begin().await?;
        store::lock_claims(&mut tx).await?;
        let running = store::count_running(&mut tx).await?;
        let per_group = i64::try_from(count).unwrap_or(i64::MAX).saturating_add(HELD_BACK);
        let due = store::list_due(&mut tx, &self.kinds, per_group).await?;
        let ids = self.choose(&running, due, count);
        let rows = store::confirm(&mut *tx, &ids, &self.kinds, self.id, lease_ms).await?;
        tx.commit().await?;
        Ok(Claims { jobs: self.enroll(rows, asked_at, false), next: None })
    }

    /// What of the due jobs may start beside the running ones.
    fn choose(&self, running: &[RunningRow], due: Vec<DueRow>, count: usize) -> Vec<Uuid> {
        let limits = &self.settings.limits;
        let mut rates = self.half_rates.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut counts = Counts::default();
        for row in running {
            counts.add(&row.group_name, row.owner, usize::try_from(row.count).unwrap_or(usize::MAX));
        }
        let startable = due.into_iter().filter(|row| {
            let (group, owner) = (row.group_name.as_str(), row.owner);
            let starts = counts.has_room(limits, group, owner) && rates.take(limits, group, now_us);
            if starts {
                counts.add(group, owner, 1);
            }
            starts
        });
        startable.take(count).map(|row| row.id).collect()
    }

    fn enroll(&self, rows: Vec<JobRow>, asked_at: Instant, slotted: bool) -> Vec<Claimed> {
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let lease = Lease { job_id: row.id, epoch: row.lease_epoch, worker: self.id };
            let signal = Arc::new(Signal::default());
            let place = Place { id: row.id, group: row.group_name.clone(), owner: row.owner };
            let entry = Entry { lease, place, signal: signal.clone(), renewed_at: asked_at, slotted };
            if !self.roster.add(entry) {
                tracing::error!(job.id = %row.id, "job {} was claimed while it still runs here; its lease is left to run out", row.id);
                continue;
            }
            let (remaining, waited, cancel_requested) = (row.remaining(), row.waited(), row.cancel_requested);
            claimed.push(Claimed {
                job: row.into_job(),
                lease,
                signal,
                remaining,
                waited,
                cancel_requested,
                claimed_at: asked_at,
            });
        }
        claimed
    }

    /// Gives places back.
    pub(crate) async fn free(&self, places: Vec<Place>) {
        if let Err(error) = self.queue.redis().release(self.id, &places).await {
            tracing::debug!(%error, "{} places are left to expire", places.len());
        }
    }
}
