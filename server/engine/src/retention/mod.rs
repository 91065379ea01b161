//! How long what is stored is kept, and whether rows and objects agree.
//!
//! The plan is three numbers of days ([`KeepDays`]). A published video is never touched: renditions, HLS and posters are
//! counted from the moment nothing points to them any more, originals from the end of the last generation that used them.
//! Try-on images have a rule that nobody sets.

mod store;
mod tryon;

use std::collections::HashSet;

use chrono::{TimeDelta, Utc};
use domain::{
    UserId,
    storage::{KeepDays, StorageDesk, StoredPart},
};
use sqlx::PgPool;
use storage::{Key, Store};

use crate::{Engine, Error, generations};

/// Objects that one run removes at the most; the next run takes the rest.
const MAX_REMOVED: i64 = 10_000;
/// Objects that are looked for, removed and written down together.
const BATCH: i64 = 100;
/// Batches of one run.
const MAX_BATCHES: i64 = MAX_REMOVED / BATCH;
/// Orphans that are removed after one look at the database: few, so that the look is fresh.
const ORPHANS_AT_ONCE: usize = 10;
/// An object without a row may belong to an upload under way until it is so old.
const ORPHAN_AFTER: TimeDelta = TimeDelta::hours(24);

/// What retention removed, or would remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionReport {
    /// For each part of a video that has something, and for try-on images: its word, how many objects, how many bytes.
    pub parts: Vec<(String, u64, u64)>,
    /// Objects that could not be removed now; the next run tries again.
    pub failed: u64,
}

impl RetentionReport {
    /// How many objects there are in it.
    pub fn objects(&self) -> u64 {
        self.parts.iter().map(|(_, objects, _)| objects).sum()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, _, bytes)| bytes).sum()
    }

    fn count(&mut self, part: &str, size: u64) {
        match self.parts.iter_mut().find(|(word, ..)| word == part) {
            Some((_, objects, bytes)) => {
                *objects += 1;
                *bytes += size;
            }
            None => self.parts.push((part.to_owned(), 1, size)),
        }
    }
}

/// Where rows and objects do not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Objects nothing knows of, older than a day, with their bytes; of a sweep that removes, those that were removed.
    pub orphans: Vec<(Key, u64)>,
    /// Objects that rows speak of and that are not there.
    pub missing: Vec<String>,
    /// How many objects were looked at.
    pub looked_at: u64,
}

/// The rules of retention, and where they are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Where the rows are.
    pub pg: PgPool,
    /// Where the objects are.
    pub store: Store,
    /// The rules.
    pub keep: KeepDays,
}

/// The rules people set on the desk, or those of the settings while nobody has.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer.
pub async fn keep_days(pg: &PgPool, settings: KeepDays) -> Result<KeepDays, Error> {
    let rules = store::rules(&mut *pg.acquire().await?).await?;
    Ok(rules.map_or(settings, |(keep, ..)| keep))
}

impl Engine {
    /// Retention by the rules of today.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn retention(&self) -> Result<Retention, Error> {
        let keep = keep_days(self.pg(), self.settings().keep).await?;
        Ok(Retention { pg: self.pg().clone(), store: self.store().clone(), keep })
    }

    /// The desk's page of storage: what there is, what would go now, and the rules.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn storage_desk(&self) -> Result<StorageDesk, Error> {
        let mut conn = self.pg().acquire().await?;
        let parts = store::stored(&mut conn).await?;
        let rules = store::rules(&mut conn).await?;
        drop(conn);
        let keep = rules.as_ref().map_or(self.settings().keep, |(keep, ..)| *keep);
        let retention = Retention { pg: self.pg().clone(), store: self.store().clone(), keep };
        let due = retention.due().await?.parts.into_iter();
        let due = due.map(|(part, objects, bytes)| StoredPart { part, objects, bytes }).collect();
        Ok(StorageDesk { parts, due, keep, set: rules.map(|(_, by, at)| (by, at)) })
    }

    /// Sets the rules of retention from now on; the next night goes by them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn set_retention(&self, by: UserId, keep: KeepDays) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        store::set_rules(&mut tx, by, keep).await?;
        generations::store::audit(&mut tx, Some(by), "retention.set", uuid::Uuid::nil()).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Retention {
    /// What would be removed now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn due(&self) -> Result<RetentionReport, Error> {
        let mut conn = self.pg.acquire().await?;
        let mut report = RetentionReport::default();
        for due in store::due(&mut conn, self.keep, MAX_REMOVED, &[]).await? {
            report.count(&due.part, due.bytes);
        }
        drop(conn);
        for due in self.due_tryon_images(MAX_REMOVED).await? {
            report.count(&due.part, due.bytes);
        }
        Ok(report)
    }

    /// Removes what is kept no longer: the object first, then its row says so. An object that cannot be removed now is left
    /// for the next run.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn run(&self) -> Result<RetentionReport, Error> {
        let mut report = RetentionReport::default();
        // Looked at anew for every batch: what is due may change while others are removed.
        let mut failed: Vec<String> = Vec::new();
        for _ in 0..MAX_BATCHES {
            let mut conn = self.pg.acquire().await?;
            let batch = store::due(&mut conn, self.keep, BATCH, &failed).await?;
            drop(conn);
            if batch.is_empty() {
                break;
            }
            let mut removed = Vec::with_capacity(batch.len());
            for object in batch {
                if self.remove(&object).await {
                    report.count(&object.part, object.bytes);
                    removed.push(object.key);
                } else {
                    report.failed += 1;
                    failed.push(object.key);
                }
            }
            let mut tx = self.pg.begin().await?;
            for video in store::remove(&mut tx, &removed).await? {
                generations::store::audit(&mut tx, None, "video.files_removed", video).await?;
            }
            tx.commit().await?;
        }
        self.remove_tryon_images(&mut report).await?;
        if report.objects() + report.failed > 0 {
            tracing::info!(
                objects = report.objects(),
                bytes = report.bytes(),
                failed = report.failed,
                "{} objects of {} bytes were kept long enough and removed, {} could not be",
                report.objects(),
                report.bytes(),
                report.failed
            );
        }
        Ok(report)
    }

    /// Removes an object from the store; false when that cannot be done now.
    async fn remove(&self, object: &store::Due) -> bool {
        let Ok(key) = Key::parse(&object.key) else { return false };
        match self.store.delete(&key).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, object.key = object.key, "{} could not be removed", object.key);
                false
            }
        }
    }

    /// Compares the bucket with the rows, both ways. With `remove` objects nothing knows of are removed once they are a day
    /// old; rows without objects are told only: somebody has to know why.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database or the object store does not answer.
    pub async fn sweep(&self, remove: bool) -> Result<SweepReport, Error> {
        let mut report = SweepReport::default();
        let mut found = HashSet::new();
        let before = Utc::now() - ORPHAN_AFTER;
        for root in ["videos/", "products/"] {
            let mut after = None;
            // Ends with the bucket: every page begins behind the last.
            loop {
                let page = self.store.list(root, after.as_deref()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.to_string());
                report.looked_at += u64::try_from(page.len()).unwrap_or_default();
                let keys: Vec<String> = page.iter().map(|object| object.key.to_string()).collect();
                let mut conn = self.pg.acquire().await?;
                let known = store::known(&mut conn, &keys).await?;
                drop(conn);
                for object in page {
                    let name = object.key.to_string();
                    let is_old = object.last_modified.is_some_and(|at| at < before);
                    if !known.contains(&name) && is_old {
                        report.orphans.push((object.key, object.bytes));
                    }
                    found.insert(name);
                }
            }
        }
        let mut conn = self.pg.acquire().await?;
        let expected = store::expected(&mut conn, before).await?;
        drop(conn);
        report.missing = expected.into_iter().filter(|key| !found.contains(key)).collect();
        for key in &report.missing {
            tracing::error!(object.key = key, "{key} is not in the object store, although a row speaks of it");
        }
        if remove {
            report.orphans = self.remove_orphans(report.orphans).await?;
        }
        Ok(report)
    }

    /// Removes what a sweep found, but for what a row speaks of by now: the database is asked again for every batch, right
    /// before it goes. Answers what was removed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database or the object store does not answer.
    pub async fn remove_orphans(&self, found: Vec<(Key, u64)>) -> Result<Vec<(Key, u64)>, Error> {
        let mut removed = Vec::with_capacity(found.len());
        for batch in found.chunks(ORPHANS_AT_ONCE) {
            let keys: Vec<String> = batch.iter().map(|(key, _)| key.to_string()).collect();
            let mut conn = self.pg.acquire().await?;
            let known = store::known(&mut conn, &keys).await?;
            drop(conn);
            for (key, bytes) in batch {
                if known.contains(key.as_str()) {
                    tracing::info!(object.key = %key, "{key} stays: a row speaks of it by now");
                    continue;
                }
                self.store.delete(key).await?;
                tracing::info!(object.key = %key, bytes, "{key} ({bytes} bytes) was removed: nothing knew of it");
                removed.push((key.clone(), *bytes));
            }
        }
        if !removed.is_empty() {
            let mut conn = self.pg.acquire().await?;
            generations::store::audit(&mut conn, None, "bucket.swept", uuid::Uuid::nil()).await?;
        }
        Ok(removed)
    }
}
