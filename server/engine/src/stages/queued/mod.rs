//! One call to a provider with a queue: submitted once, then looked after or reported, its file fetched at once. The same
//! for stills and for clips; the stage decides what follows from it.

mod lookup;
mod withdrawal;

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{FailureCode, event_detail::BillDifference, generation::EventKind};
use jobs::{Attempt, Failure};
use providers::{Certainty, FetchRules, FileAnswer, Order, ProviderError, RequestStatus, Requests, Submitted};
use sqlx::PgConnection;
pub(super) use withdrawal::Withdrawal;

use super::{Stop, doubt, provider_failure, stored_order};
use crate::{
    Engine,
    calls::{self, Call, Slot, store::Addresses},
    generations::store::{self, Event, Generation},
    ledger::{self, Certainty as Amount},
};

/// A call in one run of its stage.
pub(super) struct Queued<'a> {
    pub(super) engine: &'a Engine,
    pub(super) attempt: &'a Attempt,
    pub(super) generation: &'a Generation,
    pub(super) slot: Slot,
    pub(super) call: &'a Call,
    /// The provider's queue.
    pub(super) requests: &'a dyn Requests,
}

/// Where a call is after a look.
pub(super) enum Look {
    /// Nothing to do until the next look, or until a webhook comes.
    Waiting,
    /// It is made: its file is to be fetched now.
    Finished(FileAnswer),
}

impl Queued<'_> {
    /// Writes down what a submit was answered.
    pub(super) async fn answered(&self, answer: Result<Submitted, ProviderError>) -> Result<Look, Stop> {
        match answer {
            Ok(submitted) => self.accepted(&submitted).await,
            Err(error) => self.not_accepted(&error).await,
        }
    }

    /// The provider took it: from here on only looking, never another submit.
    async fn accepted(&self, submitted: &Submitted) -> Result<Look, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        let addresses = Addresses {
            status: Some(submitted.status_url.as_str()),
            response: Some(submitted.response_url.as_str()),
            cancel: Some(submitted.cancel_url.as_str()),
        };
        // False when a webhook was faster than this answer: its own, or one of an earlier submit that was thought lost.
        let named = calls::store::submit(&mut tx, self.call.id, &submitted.request_id, addresses).await?;
        let known = calls::store::by_id(&mut tx, self.call.id).await?.and_then(|call| call.request_id);
        if named {
            let event = Event {
                stage: Some(self.slot.stage()),
                amount: Some(self.call.estimate),
                detail: Some(&submitted.request_id),
                ..Event::of(EventKind::CallSubmitted)
            };
            store::record(&mut tx, self.generation.id, &event).await?;
        }
        let step = format!("{} submitted", self.slot.as_str());
        self.attempt.lease.checkpoint(&mut tx, &step, self.slot.mark_before()).await?;
        tx.commit().await?;
        if known.is_some_and(|id| id != submitted.request_id) {
            self.call_off(submitted).await;
        }
        Ok(Look::Waiting)
    }

    /// Two requests were made for one call, and the first is kept: the second is ended while it may still be free.
    async fn call_off(&self, second: &Submitted) {
        let answer = self.requests.cancel(second).await;
        tracing::error!(
            call.id = %self.call.id, provider.request_id = %second.request_id, ?answer,
            "request {} of call {} is one too many and was called off; compare with the bill",
            second.request_id, self.call.id
        );
    }

    async fn not_accepted(&self, error: &ProviderError) -> Result<Look, Stop> {
        let is_in_doubt = error.is_in_doubt() || (may_hide_acceptance(error) && self.is_listed_all_the_same().await?);
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        if is_in_doubt {
            doubt::mark(&mut tx, self.generation, self.slot, self.call, &error.detail).await?;
            tx.commit().await?;
            return Ok(Look::Waiting);
        }
        if error.is_retryable() {
            calls::store::plan_again(&mut tx, self.call.id).await?;
        } else {
            self.close_failed(&mut tx, error).await?;
        }
        tx.commit().await?;
        Err(provider_failure(error).into())
    }

    /// Looks where the request is.
    pub(super) async fn look(&self) -> Result<Look, Stop> {
        match self.requests.check(&self.address()?, &self.order()).await {
            Ok(RequestStatus::Finished(answer)) => Ok(Look::Finished(answer.at_price(self.call.estimate))),
            Ok(RequestStatus::Queued { .. } | RequestStatus::Running) => self.wait().await,
            Err(error) if self.is_misnamed(&error) => self.unname().await,
            Err(error) if error.certainty == Certainty::Ended => Err(self.ended(&error).await?),
            Err(error) => {
                tracing::warn!(call.id = %self.call.id, %error, "call {} could not be looked at", self.call.id);
                self.wait().await
            }
        }
    }

    /// A report alone said which request the call is, and the provider knows none of that name.
    fn is_misnamed(&self, error: &ProviderError) -> bool {
        error.code == FailureCode::ResultMissing && self.call.status_url.is_none()
    }

    /// The call is in doubt as before that report: the provider's list, or a true report, says which request it is.
    async fn unname(&self) -> Result<Look, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        if calls::store::unname(&mut tx, self.call.id).await? {
            tracing::error!(
                call.id = %self.call.id, provider.request_id = self.call.request_id,
                "call {} was reported as a request that {} does not know", self.call.id, self.call.model
            );
        }
        tx.commit().await?;
        Ok(Look::Waiting)
    }

    /// Goes on waiting, unless it has taken too long.
    async fn wait(&self) -> Result<Look, Stop> {
        if !self.is_late(self.call.submitted_at.unwrap_or_else(Utc::now)) {
            return Ok(Look::Waiting);
        }
        let address = self.address()?;
        if let Err(error) = self.requests.cancel(&address).await {
            tracing::warn!(call.id = %self.call.id, %error, "late call {} could not be cancelled", self.call.id);
        }
        match self.requests.check(&address, &self.order()).await {
            // Done after all, and nobody could be asked before: it is paid.
            Ok(RequestStatus::Finished(answer)) => return Ok(Look::Finished(answer.at_price(self.call.estimate))),
            // A request that was still queued is free once it is cancelled; only the provider can say so.
            Err(error) if error.certainty == Certainty::Ended => {
                let error = ProviderError { code: FailureCode::ProviderTimeout, ..error };
                let mut tx = self.engine.pg().begin().await?;
                self.attempt.lease.guard(&mut tx).await?;
                self.close_failed(&mut tx, &error).await?;
                tx.commit().await?;
            }
            _ => {}
        }
        let detail = "the provider did not finish in time";
        Err(Failure::permanent(FailureCode::ProviderTimeout.as_str(), detail).into())
    }

    fn is_late(&self, since: DateTime<Utc>) -> bool {
        TimeDelta::from_std(self.engine.settings().poll_timeout).is_ok_and(|most| Utc::now() - since > most)
    }

    /// The provider ended the request without a result. A free failure that may pass is tried again as a new call.
    pub(super) async fn ended(&self, error: &ProviderError) -> Result<Stop, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        self.close_failed(&mut tx, error).await?;
        if error.charged.is_some_and(|amount| amount.micros() > 0) {
            tx.commit().await?;
            return Ok(Failure::permanent(error.code.as_str(), error.detail.clone()).into());
        }
        if error.is_retryable() {
            doubt::plan_next(&mut tx, self.generation, self.slot, self.call).await?;
        }
        tx.commit().await?;
        Ok(provider_failure(error).into())
    }

    async fn close_failed(&self, tx: &mut PgConnection, error: &ProviderError) -> Result<(), Stop> {
        let today = self.engine.today();
        // Taken, over, and not a word about money: what it was bought for is the best there is to say.
        let assumed = (error.certainty == Certainty::Ended && error.charged.is_none()).then_some(self.call.estimate);
        let cost = error.charged.or(assumed);
        calls::store::fail(tx, self.call.id, error, cost).await?;
        let certainty = if assumed.is_some() { Amount::Assumed } else { Amount::Known };
        match cost {
            Some(amount) => ledger::settle(tx, self.call.id, amount, certainty, today).await?,
            None => ledger::void(tx, self.call.id, today).await?,
        }
        let event = Event {
            stage: Some(self.slot.stage()),
            failure: Some(error.code),
            amount: cost,
            detail: Some(&error.detail),
            ..Event::of(EventKind::CallFailed)
        };
        Ok(store::record(tx, self.generation.id, &event).await?)
    }

    /// Copies the finished file before the provider deletes it. A file that cannot be had for good ends the call, paid.
    pub(super) async fn fetch(&self, answer: &FileAnswer, rules: &FetchRules, to: &Path) -> Result<(), Stop> {
        let Err(error) = providers::fetch_result(&answer.url, rules, to).await else { return Ok(()) };
        if error.is_retryable() {
            return Err(provider_failure(&error).into());
        }
        let error = ProviderError { certainty: Certainty::Ended, ..error }.charging(Some(answer.cost));
        Err(self.ended(&error).await?)
    }

    /// The file is not what was bought: the call ends without a result, paid.
    pub(super) async fn useless(&self, code: FailureCode, detail: &str, answer: &FileAnswer) -> Result<Stop, Stop> {
        let error = ProviderError::new(code, Certainty::Ended, providers::Retry::Never, detail);
        self.ended(&error.charging(Some(answer.cost))).await
    }

    /// Closes the call with its bill, in the transaction that keeps its result.
    pub(super) async fn settle(&self, tx: &mut PgConnection, answer: &FileAnswer) -> Result<(), Stop> {
        let (id, today) = (self.generation.id, self.engine.today());
        calls::store::finish(tx, self.call.id, None, answer.cost).await?;
        ledger::settle(tx, self.call.id, answer.cost, Amount::Known, today).await?;
        let done = Event {
            stage: Some(self.slot.stage()),
            amount: Some(answer.cost),
            detail: self.call.request_id.as_deref(),
            ..Event::of(EventKind::CallDone)
        };
        store::record(tx, id, &done).await?;
        if answer.is_billed_otherwise() {
            let model = self.call.model.to_string();
            let detail = BillDifference { model, billed: answer.cost, listed: answer.cost_expected }.to_string();
            let event = Event {
                stage: Some(self.slot.stage()),
                amount: Some(answer.cost),
                detail: Some(&detail),
                ..Event::of(EventKind::BilledOtherwise)
            };
            store::record(tx, id, &event).await?;
        }
        Ok(())
    }

    fn order(&self) -> Order {
        stored_order(self.generation, self.call, self.slot)
    }

    fn address(&self) -> Result<Submitted, Stop> {
        let id = self.call.request_id.as_deref().unwrap_or_default();
        let located = self.requests.locate(id).map_err(|error| provider_failure(&error))?;
        let stored = |url: &Option<String>, otherwise: url::Url| {
            url.as_deref().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        Ok(Submitted {
            request_id: located.request_id,
            status_url: stored(&self.call.status_url, located.status_url),
            response_url: stored(&self.call.response_url, located.response_url),
            cancel_url: stored(&self.call.cancel_url, located.cancel_url),
        })
    }
}

/// A provider that is busy or broken may have taken the request before it said so. What is refused for good never was.
const fn may_hide_acceptance(error: &ProviderError) -> bool {
    matches!(error.certainty, Certainty::Refused) && error.is_retryable()
}
