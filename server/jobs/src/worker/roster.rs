//! The jobs this process runs right now, shared with the heartbeat thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Lease;
use crate::redis::Place;

/// Why a running job is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Somebody else may have it: nothing may be written any more.
    LeaseLost,
    /// A person asked.
    Asked,
    /// Its deadline has passed.
    TimedOut,
}

/// A token that remembers why it fired; the first cause stands.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    pub(crate) token: CancellationToken,
    cause: OnceLock<Cause>,
}

impl Signal {
    pub(crate) fn fire(&self, cause: Cause) {
        self.cause.get_or_init(|| cause);
        self.token.cancel();
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.cause.get().copied()
    }
}

/// One running job.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) lease: Lease,
    pub(crate) place: Place,
    pub(crate) signal: Arc<Signal>,
    /// The lease is good for `lease_secs` from here at least.
    pub(crate) renewed_at: Instant,
    /// Redis knows its slot.
    pub(crate) slotted: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// By lease, not by job: a job that parked may be claimed again before its handler has returned.
    entries: Mutex<HashMap<(Uuid, i64), Entry>>,
}

impl Roster {
    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, i64), Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a claimed job. False if this process runs it under the same epoch already: after a crash of Postgres an
    /// unflushed claim may be forgotten there and made again.
    pub(crate) fn add(&self, entry: Entry) -> bool {
        match self.lock().entry((entry.lease.job_id, entry.lease.epoch)) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entry);
                true
            }
        }
    }

    pub(crate) fn remove(&self, lease: &Lease) {
        self.lock().remove(&(lease.job_id, lease.epoch));
    }

    pub(crate) fn contains(&self, id: Uuid) -> bool {
        self.lock().keys().any(|(running, _)| *running == id)
    }

    pub(crate) fn list(&self) -> Vec<Entry> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn fire(&self, id: Uuid, epoch: i64, cause: Cause) {
        if let Some(entry) = self.lock().get(&(id, epoch)) {
            entry.signal.fire(cause);
        }
    }

    pub(crate) fn note_renewed(&self, id: Uuid, epoch: i64, at: Instant) {
        if let Some(entry) = self.lock().get_mut(&(id, epoch)) {
            entry.renewed_at = at;
        }
    }

    pub(crate) fn note_slots(&self, leases: &[Lease], slotted: bool) {
        let mut entries = self.lock();
        for lease in leases {
            if let Some(entry) = entries.get_mut(&(lease.job_id, lease.epoch)) {
                entry.slotted = slotted;
            }
        }
    }

    /// Tells every job whose lease was not renewed for so long that it must be taken for lost.
    pub(crate) fn fire_stale(&self, limit: Duration) {
        for entry in self.lock().values().filter(|entry| entry.renewed_at.elapsed() > limit) {
            if entry.signal.cause() != Some(Cause::LeaseLost) {
                tracing::warn!(job.id = %entry.lease.job_id, "lease of job {} could not be renewed in time", entry.lease.job_id);
            }
            entry.signal.fire(Cause::LeaseLost);
        }
    }
}
