//! The right to write about a running job.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, store};

/// The right to write about one running job. Every method is one statement guarded by job, epoch and holder: when no
/// row answers, somebody else has the job or it has ended, and the caller must stop with [`Error::LeaseLost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub(crate) job_id: Uuid,
    pub(crate) epoch: i64,
    pub(crate) worker: Uuid,
}

impl Lease {
    /// The job.
    pub fn job_id(&self) -> Uuid {
        self.job_id
    }

    /// Grows with every claim of the job: put it into paths and names that a replaced worker must not overwrite.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Ends the job well, inside the caller's transaction. Answer [`crate::Outcome::Committed`] after the commit.
    ///
    /// # Errors
    /// [`Error::LeaseLost`], [`Error::Database`].
    pub async fn succeed(&self, tx: &mut PgConnection) -> Result<(), Error> {
        self.hold(store::succeed(tx, self).await?)
    }

    /// Parks the job until an instant or a wake, inside the caller's transaction. A wake or a cancel that came while it
    /// ran makes it due at once. Answer [`crate::Outcome::Committed`] after the commit.
    ///
    /// # Errors
    /// [`Error::LeaseLost`], [`Error::Database`].
    pub async fn park(&self, tx: &mut PgConnection, until: DateTime<Utc>) -> Result<(), Error> {
        self.hold(store::park(tx, self, until).await?)
    }

    /// Locks the job's row and proves that the lease still holds, so that everything else in the transaction is fenced.
    ///
    /// # Errors
    /// [`Error::LeaseLost`], [`Error::Database`].
    pub async fn guard(&self, tx: &mut PgConnection) -> Result<(), Error> {
        self.hold(store::guard(tx, self).await?)
    }

    /// Records real progress: a name for where the work is, and 0 to 100 percent. Forgives earlier interruptions when
    /// the work got further than before.
    ///
    /// # Errors
    /// [`Error::LeaseLost`], [`Error::Database`].
    pub async fn checkpoint(&self, tx: &mut PgConnection, step: &str, percent: u8) -> Result<(), Error> {
        self.hold(store::checkpoint(tx, self, step, i16::from(percent.min(100))).await?)
    }

    fn hold(&self, held: bool) -> Result<(), Error> {
        if held { Ok(()) } else { Err(Error::LeaseLost { job_id: self.job_id }) }
    }
}
