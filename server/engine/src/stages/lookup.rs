//! A submit that was never answered: looking up what became of it.

use chrono::{TimeDelta, Utc};
use domain::FailureCode;
use jobs::{Failure, Outcome};

use super::{
    Stop,
    clip::{Clip, Run},
    doubt, provider_failure,
};
use crate::calls::{self, Slot};

/// Clocks of a provider and of ours may differ by this much when its list is read.
const CLOCK_SKEW_SECS: i64 = 30;

impl Clip {
    /// No answer came to a submit. The provider's own list says whether it took it; a webhook may have told before.
    /// Without that proof a second submit is the policy's to decide, when nobody has told in time.
    pub(super) async fn look_up(&self, run: &Run<'_>) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        doubt::mark(&mut tx, run.generation, Slot::Clip, run.call, "no answer came to the submit").await?;
        tx.commit().await?;
        let timeless = || Failure::permanent(FailureCode::Internal.as_str(), "an intent without its time");
        let sent_at = run.call.intent_at.ok_or_else(timeless)?;
        let listed = match self.engine.clip_maker().accepted_since(sent_at - TimeDelta::seconds(CLOCK_SKEW_SECS)).await
        {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(call.id = %run.call.id, %error, "call {} could not be looked up", run.call.id);
                return self.wait_for_webhook(run, sent_at).await;
            }
        };
        let ids: Vec<String> = listed.into_iter().map(|request| request.request_id).collect();
        let mut conn = self.engine.pg().acquire().await?;
        let others =
            calls::store::unanswered_elsewhere(&mut conn, run.call, sent_at - TimeDelta::seconds(CLOCK_SKEW_SECS))
                .await?;
        let known = calls::store::known_requests(&mut conn, &run.call.provider, &ids).await?;
        drop(conn);
        let unknown: Vec<&String> = ids.iter().filter(|id| !known.contains(id)).collect();
        let settled = TimeDelta::from_std(self.engine.settings().lookup_after).unwrap_or(TimeDelta::MAX);
        match unknown.as_slice() {
            // Not there yet: silence proves nothing so early.
            [] if Utc::now() - sent_at < settled => self.park(run, self.engine.pg().begin().await?).await,
            // It was never taken: the same call may be made now.
            [] => {
                let mut tx = self.engine.pg().begin().await?;
                run.attempt.lease.guard(&mut tx).await?;
                if !calls::store::plan_again(&mut tx, run.call.id).await? {
                    // A webhook was faster than the list.
                    return self.park(run, tx).await;
                }
                tx.commit().await?;
                Err(Failure::transient(FailureCode::ProviderUnavailable.as_str(), "the submit never arrived").into())
            }
            [only] if others == 0 => {
                let submitted = self.engine.clip_maker().locate(only).map_err(|error| provider_failure(&error))?;
                self.submitted(run, &submitted).await
            }
            // Several are unanswered: only their webhooks can tell them apart.
            _ => self.wait_for_webhook(run, sent_at).await,
        }
    }

    /// The list cannot tell. A webhook may; when none came in time, the model's policy decides.
    async fn wait_for_webhook(&self, run: &Run<'_>, sent_at: chrono::DateTime<Utc>) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        if self.is_late(sent_at) {
            run.attempt.lease.guard(&mut tx).await?;
            doubt::repeat(&self.engine, &mut tx, run.generation, Slot::Clip, run.call).await?;
        }
        self.park(run, tx).await
    }
}
