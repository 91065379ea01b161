//! Pausing and resuming, and what operators see of the queue.

mod store;

use std::{collections::HashMap, sync::Arc};

use domain::{
    Recipe, UserId,
    options::InvalidOption,
    queue::{PauseScope, PauseView, QueueDepth, QueueNotice, QueueView, REASON_MAX_CHARS},
};
use jobs::{Paused, Queue, Scope};
use providers::{Catalogue, Provider};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Engine, Error};

/// Pauses and resumes: for the desk, and for the command line, which has no engine.
pub struct Pauses<'a> {
    /// Postgres.
    pub pg: &'a PgPool,
    /// The job queue.
    pub queue: &'a Queue,
    /// Which providers and models there are.
    pub catalogue: Arc<Catalogue>,
}

impl Pauses<'_> {
    /// Starts nothing more of a scope until it is resumed; what runs, and what a provider has been asked for, goes on.
    /// Pausing twice keeps the first reason. `by` is nobody on the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a provider or model that is not in the catalogue, and for a reason longer than
    /// [`REASON_MAX_CHARS`].
    pub async fn pause(&self, by: Option<UserId>, scope: &PauseScope, reason: &str) -> Result<(), Error> {
        self.check(scope)?;
        let reason = reason.trim();
        if reason.chars().count() > REASON_MAX_CHARS {
            return Err(invalid("reason", format!("at most {REASON_MAX_CHARS} characters")));
        }
        self.queue.pause(&to_jobs(scope), by.map(UserId::uuid), reason).await?;
        self.audit(by, "queue.paused", &json!({ "scope": scope, "reason": reason })).await
    }

    /// Ends a pause; what waited starts within a second. False when nothing was paused.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a provider or model that is not in the catalogue and not paused either.
    pub async fn resume(&self, by: Option<UserId>, scope: &PauseScope) -> Result<bool, Error> {
        // First, because a model may be paused and then leave the catalogue.
        if !self.queue.resume(&to_jobs(scope)).await? {
            self.check(scope)?;
            return Ok(false);
        }
        self.audit(by, "queue.resumed", &json!({ "scope": scope })).await?;
        Ok(true)
    }

    /// The pauses that hold, oldest first.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn list(&self) -> Result<Vec<PauseView>, Error> {
        let paused = self.queue.list_pauses().await?;
        if paused.is_empty() {
            return Ok(Vec::new());
        }
        let who: Vec<Uuid> = paused.iter().filter_map(|pause| pause.by).collect();
        let mut conn = self.pg.acquire().await?;
        let names: HashMap<Uuid, String> = store::names(&mut conn, &who).await?.into_iter().collect();
        Ok(paused
            .into_iter()
            .filter_map(|Paused { scope, reason, by, since }| {
                let by = by.and_then(|id| names.get(&id).cloned());
                Some(PauseView { scope: from_jobs(scope)?, reason, by, since })
            })
            .collect())
    }

    async fn audit(&self, by: Option<UserId>, action: &str, detail: &serde_json::Value) -> Result<(), Error> {
        let mut conn = self.pg.acquire().await?;
        Ok(store::audit(&mut conn, by, action, detail).await?)
    }

    fn check(&self, scope: &PauseScope) -> Result<(), Error> {
        let mut rows = self.catalogue.rows().iter();
        match scope {
            PauseScope::Everything | PauseScope::Recipe(_) => Ok(()),
            PauseScope::Provider(word) if Provider::parse(word).is_some() => Ok(()),
            PauseScope::Provider(_) => Err(invalid("scope", Provider::ALL.map(Provider::as_str).join("|"))),
            PauseScope::Model(name) if rows.any(|row| row.model().to_string() == *name) => Ok(()),
            PauseScope::Model(_) => Err(invalid("scope", "a model of the catalogue, like fal/…".to_owned())),
        }
    }
}

fn invalid(field: &str, expected: String) -> Error {
    Error::Invalid(vec![InvalidOption { field: field.to_owned(), expected }])
}

/// What the queue calls it: jobs carry their recipe as label, and their model as group, provider first.
fn to_jobs(scope: &PauseScope) -> Scope {
    match scope {
        PauseScope::Everything => Scope::Everything,
        PauseScope::Recipe(recipe) => Scope::Label(recipe.as_str().to_owned()),
        PauseScope::Provider(word) => Scope::Family(word.clone()),
        PauseScope::Model(name) => Scope::Group(name.clone()),
    }
}

/// The way back; none for what nobody can pause here: kinds of jobs, and recipes that are no more.
fn from_jobs(scope: Scope) -> Option<PauseScope> {
    match scope {
        Scope::Everything => Some(PauseScope::Everything),
        Scope::Label(word) => Recipe::parse(&word).ok().map(PauseScope::Recipe),
        Scope::Family(word) => Some(PauseScope::Provider(word)),
        Scope::Group(name) => Some(PauseScope::Model(name)),
        Scope::Kind(_) => None,
    }
}

impl Engine {
    /// The queue page.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn queue_view(&self) -> Result<QueueView, Error> {
        let depth = self.queue().depth().await?;
        let pauses = self.pauses().list().await?;
        let mut choices = self.pausable();
        choices.retain(|choice| pauses.iter().all(|pause| pause.scope != *choice));
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(QueueView {
            depth: QueueDepth {
                waiting: count(depth.waiting),
                delayed: count(depth.delayed),
                running: count(depth.running),
                parked: count(depth.parked),
            },
            oldest_waiting_secs: count(depth.oldest_age.as_secs()),
            redis_ok: self.queue().health().await.redis,
            pauses,
            choices,
        })
    }

    /// What every page of the desk says of the queue.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn queue_notice(&self) -> Result<QueueNotice, Error> {
        let (health, paused) = tokio::join!(self.queue().health(), self.queue().list_pauses());
        let paused = paused?.into_iter().filter_map(|pause| from_jobs(pause.scope)).collect();
        Ok(QueueNotice { redis_ok: health.redis, paused })
    }

    /// Starts nothing more of a scope: see [`Pauses::pause`].
    ///
    /// # Errors
    /// Those of [`Pauses::pause`].
    pub async fn pause(&self, by: UserId, scope: &PauseScope, reason: &str) -> Result<(), Error> {
        self.pauses().pause(Some(by), scope, reason).await
    }

    /// Ends a pause: see [`Pauses::resume`].
    ///
    /// # Errors
    /// Those of [`Pauses::resume`].
    pub async fn resume(&self, by: UserId, scope: &PauseScope) -> Result<bool, Error> {
        self.pauses().resume(Some(by), scope).await
    }

    fn pauses(&self) -> Pauses<'_> {
        Pauses { pg: self.pg(), queue: self.queue(), catalogue: self.catalogue() }
    }

    /// Everything, then what is narrower; models that can be bought today.
    fn pausable(&self) -> Vec<PauseScope> {
        let (catalogue, now) = (self.catalogue(), self.now());
        let today = catalogue.day(now);
        let offered = catalogue.models(now).filter(|row| !row.is_retired(today));
        let mut models: Vec<String> = offered.map(|row| row.model().to_string()).collect();
        models.sort();
        std::iter::once(PauseScope::Everything)
            .chain(Recipe::ALL.map(PauseScope::Recipe))
            .chain(Provider::ALL.map(|provider| PauseScope::Provider(provider.as_str().to_owned())))
            .chain(models.into_iter().map(PauseScope::Model))
            .collect()
    }
}
