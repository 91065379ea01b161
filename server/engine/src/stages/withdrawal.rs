//! A clip nobody wants any more: called off at the provider, and kept all the same when it was finished and is paid.

use chrono::Utc;
use domain::{FailureCode, Stage, generation::EventKind};
use jobs::{Failure, Outcome};
use providers::{CancelAnswer, Certainty, FileAnswer, ProviderError, RequestStatus};

use super::{
    Ending, Stop,
    clip::{Clip, Run, order},
    end_without_video, provider_failure,
    workplace::Workplace,
};
use crate::{
    calls,
    generations::store::{self, Event},
    ledger::{self, Certainty as Amount},
};

impl Clip {
    /// A person wants it to end while the provider works: ask there, then settle what the provider says. A clip that
    /// was finished all the same is shown as paid.
    pub(super) async fn cancel(&self, run: &Run<'_>) -> Result<Outcome, Stop> {
        let address = self.address(run)?;
        let answer = self.engine.clip_maker().cancel(&address).await.map_err(|error| provider_failure(&error))?;
        let status = self.engine.clip_maker().check(&address, &order(run.generation)).await;
        if let Ok(RequestStatus::Finished(answer)) = &status {
            self.keep_for_retry(run, answer).await;
        }
        let today = self.engine.today();
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        match status {
            Ok(RequestStatus::Finished(clip)) => {
                calls::store::finish(&mut tx, run.call.id, None, clip.cost).await?;
                ledger::settle(&mut tx, run.call.id, clip.cost, Amount::Known, today).await?;
                let done = Event {
                    stage: Some(Stage::Clip),
                    amount: Some(clip.cost),
                    detail: run.call.request_id.as_deref(),
                    ..Event::of(EventKind::CallDone)
                };
                store::record(&mut tx, run.generation.id, &done).await?;
            }
            Err(error) if error.certainty == Certainty::Ended => self.close_failed(&mut tx, run, &error).await?,
            _ if answer == CancelAnswer::NotFound => {
                let gone =
                    ProviderError::new(FailureCode::Cancelled, Certainty::Ended, providers::Retry::Never, "cancelled");
                self.close_failed(&mut tx, run, &gone).await?;
            }
            // Still running there: it may finish and be charged, so look again.
            _ if !self.is_late(run.call.submitted_at.unwrap_or_else(Utc::now)) => return self.park(run, tx).await,
            _ => {}
        }
        end_without_video(&self.engine, &mut tx, run.generation.id, &Ending::cancelled()).await?;
        run.attempt.lease.succeed(&mut tx).await?;
        tx.commit().await?;
        self.engine.announce(run.generation.id).await;
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    /// A clip that was finished although nobody wants it any more is paid: a retry need not buy it again. Where its bytes
    /// cannot be had the retry will.
    async fn keep_for_retry(&self, run: &Run<'_>, answer: &FileAnswer) {
        let keep = async {
            let folder = Workplace::open(&self.engine.settings().work_dir, "clip-")?;
            let path = folder.path().join("original.mp4");
            let fetched = providers::fetch_result(&answer.url, self.engine.fetch_rules(), &path).await;
            fetched.map_err(|error| provider_failure(&error))?;
            let probed = media::probe(&self.tools, &path).await;
            probed.map_err(|error| Failure::permanent(FailureCode::ClipCorrupt.as_str(), error.to_string()))?;
            let key = storage::Key::original(run.generation.video_id);
            Ok::<_, Stop>(self.engine.store().put_file(&key, &path, "video/mp4").await?)
        };
        if let Err(stop) = keep.await {
            tracing::warn!(call.id = %run.call.id, ?stop, "the clip of call {} could not be kept", run.call.id);
        }
    }
}
