//! Retention and sweeping from the command line.

use clap::Args;
use engine::Retention;

use super::{migrate, say};
use crate::config::{Common, Keep, ObjectStore};

/// Remove what is kept no longer than the settings say, as a worker does each night.
#[derive(Debug, Args)]
pub struct Retain {
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Compare the bucket with the database: objects nothing knows of, rows whose objects are gone.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Remove objects nothing knows of that are older than a day; otherwise they are only listed.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    place: Place,
}

/// Rules the bucket itself follows: unfinished uploads go, posters move to Intelligent-Tiering where posters are tagged.
#[derive(Debug, Args)]
pub struct BucketRules {
    /// Write them to the bucket; otherwise they are only listed. Rules of others in it are kept.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    object_store: ObjectStore,
}

#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    object_store: ObjectStore,
    #[command(flatten)]
    keep: Keep,
}

impl Place {
    async fn open(&self, common: &Common) -> anyhow::Result<Retention> {
        let pg = migrate::connect(common).await?;
        migrate::check(&pg).await?;
        let store = self.object_store.connect().await?;
        store.health().await?;
        let keep = engine::keep_days(&pg, self.keep.days()).await?;
        Ok(Retention { pg, store, keep })
    }
}

pub async fn retain(common: &Common, task: Retain) -> anyhow::Result<()> {
    let retention = task.place.open(common).await?;
    let report = if task.dry_run { retention.due().await? } else { retention.run().await? };
    for (part, objects, bytes) in &report.parts {
        say(&format!("{part}: {objects} objects, {bytes} bytes"));
    }
    let what = if task.dry_run { "would be removed" } else { "removed" };
    say(&format!("{} objects, {} bytes {what}.", report.objects(), report.bytes()));
    if report.failed > 0 {
        anyhow::bail!("{} objects could not be removed now; the next run tries again", report.failed);
    }
    Ok(())
}

pub async fn bucket_rules(task: BucketRules) -> anyhow::Result<()> {
    let store = task.object_store.connect().await?;
    for rule in store.lifecycle_rules() {
        say(rule.id());
    }
    if !task.apply {
        say("Nothing was written; --apply writes them to the bucket.");
        return Ok(());
    }
    match store.write_lifecycle_rules().await {
        Err(error @ storage::Error::Invalid(_)) => {
            let tags = task.object_store.s3_object_tags.unwrap_or(false);
            let may = if tags { "; without tags (S3_OBJECT_TAGS=false) it may" } else { "" };
            anyhow::bail!("this store takes no such rules ({error}){may}")
        }
        other => other?,
    }
    say("The bucket follows them from now on.");
    Ok(())
}

pub async fn sweep(common: &Common, task: Sweep) -> anyhow::Result<()> {
    let report = task.place.open(common).await?.sweep(task.remove).await?;
    for (key, bytes) in &report.orphans {
        say(&format!("{key}: {bytes} bytes, nothing knows of it{}", if task.remove { ", removed" } else { "" }));
    }
    for key in &report.missing {
        say(&format!("{key}: not in the bucket, although a row speaks of it"));
    }
    say(&format!("{} objects looked at.", report.looked_at));
    if report.missing.is_empty() { Ok(()) } else { anyhow::bail!("{} objects are missing", report.missing.len()) }
}
