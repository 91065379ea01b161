//! Stills whose picture comes with the answer: kept on disk before anything else, because it is paid and cannot be asked
//! for a second time.

use domain::generation::EventKind;
use providers::{Certainty, ProviderError, StillAnswer};

use super::{Run, Step, Stills};
use crate::{
    calls::{self, Call, Slot},
    generations::store::{self, Event},
    ledger::{self, Certainty as Amount},
    stages::{Stop, doubt, provider_failure, spool::Paid},
};

impl Stills {
    pub(super) async fn made(&self, run: &Run<'_>, slot: Slot, call: &Call, answer: StillAnswer) -> Result<Step, Stop> {
        let paid = Paid { cost: answer.cost, request_id: answer.request_id };
        self.spool().keep(call.id, &answer.image, &paid).await?;
        self.keep_spooled(run, slot, call, answer.image, paid).await
    }

    /// The answer to a request that a lost worker had sent, where it was kept.
    pub(super) async fn answer_of(&self, run: &Run<'_>, slot: Slot, call: &Call) -> Result<Step, Stop> {
        match self.spool().find(call.id).await? {
            Some((image, paid)) => self.keep_spooled(run, slot, call, image, paid).await,
            None => self.doubt(run, slot, call, "its worker was lost before the answer").await,
        }
    }

    /// Writes down what an unsuccessful answer means for the call.
    pub(super) async fn refused(
        &self,
        run: &Run<'_>,
        slot: Slot,
        call: &Call,
        error: &ProviderError,
    ) -> Result<Step, Stop> {
        if error.is_in_doubt() {
            return self.doubt(run, slot, call, &error.detail).await;
        }
        let generation = run.generation;
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        let charged = error.charged.filter(|amount| amount.micros() > 0);
        let nothing_started = matches!(error.certainty, Certainty::NotSent | Certainty::Refused | Certainty::Unchanged);
        if nothing_started && charged.is_none() && error.is_retryable() {
            calls::store::plan_again(&mut tx, call.id).await?;
        } else {
            let today = self.engine.today();
            calls::store::fail(&mut tx, call.id, error, charged).await?;
            match charged {
                Some(amount) => {
                    ledger::settle(&mut tx, call.id, amount, Amount::Known, today).await?;
                    doubt::assume(&mut tx, generation.id, slot, None, today).await?;
                }
                None => ledger::void(&mut tx, call.id, today).await?,
            }
            if error.is_retryable() {
                doubt::plan_next(&mut tx, generation, slot, call).await?;
            }
        }
        let event = Event {
            stage: Some(slot.stage()),
            failure: Some(error.code),
            amount: charged,
            detail: Some(&error.detail),
            ..Event::of(EventKind::CallFailed)
        };
        store::record(&mut tx, generation.id, &event).await?;
        tx.commit().await?;
        Err(provider_failure(error).into())
    }

    async fn doubt(&self, run: &Run<'_>, slot: Slot, call: &Call, detail: &str) -> Result<Step, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        doubt::mark(&mut tx, run.generation, slot, call, detail).await?;
        tx.commit().await?;
        self.engine.announce(run.generation.id).await;
        Ok(Step::Look)
    }

    pub(super) async fn repeat(&self, run: &Run<'_>, slot: Slot, call: &Call) -> Result<Step, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        doubt::repeat(&self.engine, &mut tx, run.generation, slot, call).await?;
        tx.commit().await?;
        self.engine.announce(run.generation.id).await;
        Ok(Step::Look)
    }
}
