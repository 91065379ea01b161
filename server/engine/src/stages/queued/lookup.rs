//! A submit that was never answered, or refused in a way that proves nothing: looking up what became of it.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::FailureCode;
use jobs::Failure;
use providers::AcceptedRequest;

use super::{Look, Queued};
use crate::{
    calls,
    stages::{Stop, doubt, provider_failure},
};

/// Clocks of a provider and of ours may differ by this much when its list is read.
const CLOCK_SKEW_SECS: i64 = 30;
/// The answers to other submits of the same model are waited for so long before the list is judged.
const OTHERS_TIMEOUT: Duration = Duration::from_secs(5);
const OTHERS_PAUSE: Duration = Duration::from_millis(100);

impl Queued<'_> {
    /// No answer came to a submit. The provider's own list says whether it took it; a webhook may have told before.
    /// Without that proof a second submit is the policy's to decide, when nobody has told in time.
    pub(in crate::stages) async fn look_up(&self) -> Result<Look, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        doubt::mark(&mut tx, self.generation, self.slot, self.call, "no answer came to the submit").await?;
        tx.commit().await?;
        let timeless = || Failure::permanent(FailureCode::Internal.as_str(), "an intent without its time");
        let sent_at = self.call.intent_at.ok_or_else(timeless)?;
        let since = sent_at - TimeDelta::seconds(CLOCK_SKEW_SECS);
        let listed = match self.requests.accepted_since(since).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(call.id = %self.call.id, %error, "call {} could not be looked up", self.call.id);
                return self.wait_for_webhook(sent_at).await;
            }
        };
        let (unknown, others) = self.unknown(&listed, since).await?;
        let settled = TimeDelta::from_std(self.engine.settings().lookup_after).unwrap_or(TimeDelta::MAX);
        match unknown.as_slice() {
            // Not there yet: silence proves nothing so early.
            [] if Utc::now() - sent_at < settled => Ok(Look::Waiting),
            // It was never taken: the same call may be made now.
            [] => self.never_arrived().await,
            [only] if others == 0 => {
                let submitted = self.requests.locate(only).map_err(|error| provider_failure(&error))?;
                self.accepted(&submitted).await
            }
            // Several are unanswered: only their webhooks can tell them apart.
            _ => self.wait_for_webhook(sent_at).await,
        }
    }

    /// The provider refused the submit in a way that may hide its acceptance: whether its list has a request that no call
    /// of ours explains. A list that cannot be read says nothing, and then the refusal is believed.
    pub(super) async fn is_listed_all_the_same(&self) -> Result<bool, Stop> {
        let mut conn = self.engine.pg().acquire().await?;
        let sent_at = calls::store::by_id(&mut conn, self.call.id).await?.and_then(|call| call.intent_at);
        drop(conn);
        let Some(sent_at) = sent_at else { return Ok(false) };
        let since = sent_at - TimeDelta::seconds(CLOCK_SKEW_SECS);
        let listed = match self.requests.accepted_since(since).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(call.id = %self.call.id, %error, "refused call {} could not be looked up", self.call.id);
                return Ok(false);
            }
        };
        let begun = Instant::now();
        loop {
            let (unknown, others) = self.unknown(&listed, since).await?;
            let others = usize::try_from(others).unwrap_or(usize::MAX);
            // Requests that are on their way now are named in a moment.
            if unknown.is_empty() || others == 0 || begun.elapsed() > OTHERS_TIMEOUT {
                return Ok(unknown.len() > others);
            }
            tokio::time::sleep(OTHERS_PAUSE).await;
        }
    }

    /// Listed requests that no call of ours has, and how many other calls may yet turn out to have them.
    async fn unknown<'a>(
        &self,
        listed: &'a [AcceptedRequest],
        since: DateTime<Utc>,
    ) -> Result<(Vec<&'a str>, i64), Stop> {
        let ids: Vec<String> = listed.iter().map(|request| request.request_id.clone()).collect();
        let mut conn = self.engine.pg().acquire().await?;
        let others = calls::seen::store::unanswered_elsewhere(&mut conn, self.call, since).await?;
        let known = calls::seen::store::known_requests(&mut conn, self.call.model.provider.as_str(), &ids).await?;
        let unknown = listed.iter().map(|request| request.request_id.as_str());
        Ok((unknown.filter(|id| !known.iter().any(|known| known == id)).collect(), others))
    }

    async fn never_arrived(&self) -> Result<Look, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        if !calls::store::plan_again(&mut tx, self.call.id).await? {
            // A webhook was faster than the list.
            return Ok(Look::Waiting);
        }
        tx.commit().await?;
        Err(Failure::transient(FailureCode::ProviderUnreachable.as_str(), "the submit never arrived").into())
    }

    /// The list cannot tell. A webhook may; when none came in time, the model's policy decides.
    async fn wait_for_webhook(&self, sent_at: DateTime<Utc>) -> Result<Look, Stop> {
        if self.is_late(sent_at) {
            let mut tx = self.engine.pg().begin().await?;
            self.attempt.lease.guard(&mut tx).await?;
            doubt::repeat(self.engine, &mut tx, self.generation, self.slot, self.call).await?;
            tx.commit().await?;
        }
        Ok(Look::Waiting)
    }
}
