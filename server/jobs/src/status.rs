//! Where a job is, for whoever enqueued it.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::queue::{Queue, store, within};

/// A state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for its time and for a worker.
    Queued,
    /// In the hands of a worker.
    Running,
    /// Waits for a wake or an instant without holding a slot.
    Parked,
    /// Failed, and is tried again.
    Retrying,
    /// Ended well.
    Succeeded,
    /// Ended without success, for good.
    Failed,
    /// Ended because a person wanted it to.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Parked, Self::Retrying, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The word of the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it stays so: a job that has ended is never opened again.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A job as it was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobStatus {
    /// Where it is.
    pub state: JobState,
    /// The attempt that is running or ran last, from 1; 0 if it never started.
    pub attempt: u16,
    /// Where its handler last said it was.
    pub step: Option<String>,
    /// 0 to 100 percent, as its handler said.
    pub progress: u8,
    /// When it is due, or was.
    pub run_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it last left a worker without success: code and message of a [`crate::Failure`].
    pub last_failure: Option<(String, String)>,
}

/// A job that waits or runs, found by its dedupe key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveJob {
    /// Its id.
    pub id: Uuid,
    /// The key it carries.
    pub dedupe_key: String,
    /// Whether a worker has it in its hands.
    pub is_running: bool,
    /// 0 to 100 percent, as its handler said.
    pub progress: u8,
    /// Somebody asked to cancel it.
    pub is_cancelling: bool,
}

/// The jobs that wait or run under some dedupe keys, at most one for each.
///
/// # Errors
/// [`Error::Database`].
pub async fn live(connection: &mut PgConnection, dedupe_keys: &[String]) -> Result<Vec<LiveJob>, Error> {
    let rows = crate::store::live(connection, dedupe_keys).await?;
    let told = rows.into_iter().map(|row| LiveJob {
        id: row.id,
        dedupe_key: row.dedupe_key,
        is_running: row.is_running,
        progress: u8::try_from(row.progress).unwrap_or(0),
        is_cancelling: row.is_cancelling,
    });
    Ok(told.collect())
}

impl Queue {
    /// Where a job is; nothing for one that never was, or ended longer ago than jobs are kept.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::TimedOut`].
    pub async fn status(&self, job_id: Uuid) -> Result<Option<JobStatus>, Error> {
        let row = within(store::read_status(self.pg(), job_id)).await?;
        Ok(row.and_then(|row| {
            Some(JobStatus {
                state: JobState::ALL.into_iter().find(|state| state.as_str() == row.state)?,
                attempt: u16::try_from(row.attempt).unwrap_or(0),
                step: row.step,
                progress: u8::try_from(row.progress).unwrap_or(0),
                run_at: row.run_at,
                finished_at: row.finished_at,
                last_failure: row.last_error_code.zip(row.last_error),
            })
        }))
    }
}
