//! Not starting jobs for a while.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Error;
use crate::queue::{Queue, store, within};

/// What is paused. Jobs that run go on, and so do parked ones: what they wait for has been asked for already.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every job.
    Everything,
    /// Jobs of a kind.
    Kind(String),
    /// Jobs of the groups `family/…`.
    Family(String),
    /// Jobs of a group.
    Group(String),
    /// Jobs that carry a label ([`crate::NewJob::label`]).
    Label(String),
}

impl Scope {
    pub(crate) fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Everything => ("everything", ""),
            Self::Kind(name) => ("kind", name),
            Self::Family(name) => ("family", name),
            Self::Group(name) => ("group", name),
            Self::Label(name) => ("label", name),
        }
    }

    pub(crate) fn parse(scope: &str, name: String) -> Option<Self> {
        Some(match scope {
            "everything" => Self::Everything,
            "kind" => Self::Kind(name),
            "family" => Self::Family(name),
            "group" => Self::Group(name),
            "label" => Self::Label(name),
            _ => return None,
        })
    }
}

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// What is paused.
    pub scope: Scope,
    /// Why, in the words of who paused it.
    pub reason: String,
    /// Who paused it.
    pub by: Option<Uuid>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Rows per statement.
const PAGE: i64 = 1_000;

impl Queue {
    /// Starts nothing more of a scope until [`Queue::resume`]. Holds from the moment this returns; pausing twice keeps
    /// the first reason.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for a name or reason that is too long, [`Error::Database`].
    pub async fn pause(&self, scope: &Scope, by: Option<Uuid>, reason: &str) -> Result<(), Error> {
        let (word, name) = scope.words();
        if name.chars().count() > 200 || (name.is_empty() && *scope != Scope::Everything) {
            return Err(Error::InvalidJob { field: "scope", expected: "1 to 200 characters" });
        }
        if reason.chars().count() > 1_000 {
            return Err(Error::InvalidJob { field: "reason", expected: "at most 1000 characters" });
        }
        within(store::pause(self.pg(), word, name, by, reason)).await?;
        tracing::warn!(pause.scope = word, pause.name = name, "paused {word} {name}: {reason}");
        if let Err(error) = self.withdraw_paused().await {
            // Postgres refuses them one by one instead.
            tracing::debug!(%error, "paused jobs are still offered");
        }
        Ok(())
    }

    /// Ends a pause; what waited starts within a second. False if there was none.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::TimedOut`].
    pub async fn resume(&self, scope: &Scope) -> Result<bool, Error> {
        let (word, name) = scope.words();
        let ended = within(store::resume(self.pg(), word, name)).await?;
        if ended {
            tracing::info!(pause.scope = word, pause.name = name, "resumed {word} {name}");
        }
        Ok(ended)
    }

    /// The pauses that hold, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::TimedOut`].
    pub async fn list_pauses(&self) -> Result<Vec<Paused>, Error> {
        let rows = within(store::list_pauses(self.pg())).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let scope = Scope::parse(&row.scope, row.name)?;
                Some(Paused { scope, reason: row.reason, by: row.paused_by, since: row.paused_at })
            })
            .collect())
    }

    async fn withdraw_paused(&self) -> Result<(), Error> {
        let mut after = Uuid::nil();
        loop {
            let page = within(store::list_paused(self.pg(), after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            self.redis().withdraw(&page).await?;
        }
    }
}
