//! Storing a paid picture: the object first, then its row, its call, the money and the news of it in one transaction.

use std::time::Duration;

use domain::{
    FailureCode, MicroUsd, Stage, StillId,
    generation::{EventKind, Frame, mark},
};
use jobs::Attempt;
use providers::{Certainty, FileAnswer, ProviderError};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Progress, Run, Step, Stills};
use crate::{
    assets,
    calls::{self, Call, Slot},
    generations::store::{self, Event, Generation},
    ledger::{self, Certainty as Amount},
    stages::{Stop, doubt, queued::Queued, spool::Paid},
};

/// A paid picture is offered to the object store this often before the job is put back; it stays on disk, or with the
/// provider, until then.
const STORE_TRIES: u32 = 4;
/// Stills are stored as JPEG whatever the model made.
const STILL_TYPE: &str = "image/jpeg";

/// A picture the object store has.
struct Stored {
    id: StillId,
    key: storage::Key,
    object: storage::StoredObject,
    width: u32,
    height: u32,
}

impl Stills {
    /// Keeps a picture that came with the answer.
    pub(super) async fn keep_spooled(
        &self,
        run: &Run<'_>,
        slot: Slot,
        call: &Call,
        image: Vec<u8>,
        paid: Paid,
    ) -> Result<Step, Stop> {
        let stored = match self.store(run.generation, image).await? {
            Ok(stored) => stored,
            Err(detail) => {
                let garbage = FailureCode::ProviderGarbage;
                let error = ProviderError::new(garbage, Certainty::Ended, providers::Retry::Never, detail)
                    .charging(Some(paid.cost))
                    .about(paid.request_id);
                let refused = self.refused(run, slot, call, &error).await;
                self.spool().forget(call.id).await;
                return refused;
            }
        };
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        let today = self.engine.today();
        calls::store::finish(&mut tx, call.id, paid.request_id.as_deref(), paid.cost).await?;
        ledger::settle(&mut tx, call.id, paid.cost, Amount::Known, today).await?;
        let event = Event {
            stage: Some(Stage::Stills),
            amount: Some(paid.cost),
            detail: paid.request_id.as_deref(),
            ..Event::of(EventKind::CallDone)
        };
        store::record(&mut tx, run.generation.id, &event).await?;
        self.write_down(&mut tx, run.attempt, run.generation, slot, call, &stored, paid.cost).await?;
        tx.commit().await?;
        self.spool().forget(call.id).await;
        self.engine.announce(run.generation.id).await;
        Ok(Step::Reached(Progress::Done))
    }

    /// Keeps a picture that was fetched from a provider's queue.
    pub(super) async fn keep_fetched(
        &self,
        queued: &Queued<'_>,
        answer: &FileAnswer,
        image: Vec<u8>,
    ) -> Result<Step, Stop> {
        let (generation, attempt) = (queued.generation, queued.attempt);
        let stored = match self.store(generation, image).await? {
            Ok(stored) => stored,
            Err(detail) => return Err(queued.useless(FailureCode::ProviderGarbage, &detail, answer).await?),
        };
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        queued.settle(&mut tx, answer).await?;
        self.write_down(&mut tx, attempt, generation, queued.slot, queued.call, &stored, answer.cost).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        Ok(Step::Reached(Progress::Done))
    }

    /// Puts a picture into the object store, or says why it is none.
    async fn store(&self, generation: &Generation, image: Vec<u8>) -> Result<Result<Stored, String>, Stop> {
        let still = match media::normalise_still(image).await {
            Ok(still) => still,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let id = StillId::from_uuid(Uuid::now_v7());
        let key = storage::Key::still(generation.product_id, id, storage::Extension::Jpg);
        let object = self.put(&key, bytes::Bytes::from(still.bytes)).await?;
        Ok(Ok(Stored { id, key, object, width: still.width, height: still.height }))
    }

    async fn put(&self, key: &storage::Key, bytes: bytes::Bytes) -> Result<storage::StoredObject, Stop> {
        let mut tries = 1;
        loop {
            match self.engine.store().put_bytes(key, bytes.clone(), STILL_TYPE).await {
                Err(error) if error.is_retryable() && tries < STORE_TRIES => {
                    tracing::warn!(%error, key = key.as_str(), "object {} could not be stored, again soon", key.as_str());
                    tokio::time::sleep(Duration::from_secs(u64::from(tries))).await;
                    tries += 1;
                }
                done => return Ok(done?),
            }
        }
    }

    /// The picture's row, what is known now of earlier calls for it, and how far the stage is.
    #[expect(clippy::too_many_arguments, reason = "one row from as many sources")]
    async fn write_down(
        &self,
        tx: &mut PgConnection,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        call: &Call,
        stored: &Stored,
        cost: MicroUsd,
    ) -> Result<(), Stop> {
        let row = assets::NewStill {
            id: stored.id,
            generation_id: generation.id,
            frame: slot.frame().unwrap_or(Frame::Start),
            call_id: call.id,
            key: stored.key.as_str(),
            content_type: STILL_TYPE,
            width: stored.width,
            height: stored.height,
            bytes: stored.object.bytes,
            sha256: &stored.object.sha256,
        };
        assets::store::insert_still(tx, &row).await?;
        doubt::assume(tx, generation.id, slot, Some(cost), self.engine.today()).await?;
        store::set_progress(tx, generation.id, mark::STILLS / 2, None).await?;
        Ok(attempt.lease.checkpoint(tx, slot.as_str(), mark::STILLS / 2).await?)
    }
}
