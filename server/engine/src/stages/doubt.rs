//! Calls whose answer was lost: written down as in doubt, and made again only where the owner's policy says so.

use chrono::NaiveDate;
use domain::{CallId, FailureCode, GenerationId, MicroUsd, generation::EventKind};
use jobs::Failure;
use providers::InDoubt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Stop;
use crate::{
    Engine,
    calls::{self, Call, NewCall, Slot},
    generations::store::{self, Event, Generation},
    ledger::{self, Certainty},
};

/// A call is made again at most so often.
const MAX_ORDINAL: i16 = 3;

/// Writes down that nobody knows what became of a call.
pub(super) async fn mark(
    conn: &mut PgConnection,
    generation: &Generation,
    slot: Slot,
    call: &Call,
    detail: &str,
) -> Result<(), Stop> {
    if calls::store::doubt(conn, call.id, detail).await? {
        let event = Event {
            stage: Some(slot.stage()),
            amount: Some(call.estimate),
            detail: Some(detail),
            ..Event::of(EventKind::CallInDoubt)
        };
        store::record(conn, generation.id, &event).await?;
        tracing::warn!(
            generation.id = %generation.id, call.id = %call.id,
            "call {} of generation {} is in doubt: {detail}", call.id, generation.id
        );
    }
    Ok(())
}

/// Plans the call once more, as a new call with its own hold, where its model's policy says so and it costs less than the
/// owner's limit for that. Otherwise a person must decide.
pub(super) async fn repeat(
    engine: &Engine,
    conn: &mut PgConnection,
    generation: &Generation,
    slot: Slot,
    doubtful: &Call,
) -> Result<(), Stop> {
    if !may_repeat(engine, doubtful) {
        return Err(Failure::permanent(FailureCode::CallInDoubt.as_str(), "no answer came to a paid request").into());
    }
    plan_next(conn, generation, slot, doubtful).await?;
    let event =
        Event { stage: Some(slot.stage()), amount: Some(doubtful.estimate), ..Event::of(EventKind::CallRepeated) };
    store::record(conn, generation.id, &event).await?;
    Ok(())
}

/// A model the catalogue does not know any more is one to ask about.
fn may_repeat(engine: &Engine, doubtful: &Call) -> bool {
    let catalogue = engine.catalogue();
    let policy = catalogue.row(&doubtful.model, engine.now()).map_or(InDoubt::Ask, |row| row.in_doubt);
    policy == InDoubt::Repeat && doubtful.estimate < engine.settings().repeat_below && doubtful.ordinal < MAX_ORDINAL
}

/// The same request, made again, cost this much: the best there is to say of earlier ones that never answered. Where it was
/// refused nothing is known of them: they may have given a picture, and count as much as that is expected to cost at most.
pub(super) async fn assume(
    conn: &mut PgConnection,
    generation: GenerationId,
    slot: Slot,
    cost: Option<MicroUsd>,
    today: NaiveDate,
) -> Result<(), Stop> {
    for (doubtful, estimate) in calls::store::doubtful(conn, generation, slot).await? {
        let cost = cost.unwrap_or(estimate);
        calls::store::abandon(conn, doubtful, "it was made again before its outcome was known").await?;
        calls::store::assume_cost(conn, doubtful, cost).await?;
        ledger::settle(conn, doubtful, cost, Certainty::Assumed, today).await?;
    }
    Ok(())
}

/// Plans the next call of a slot like the one before it.
pub(super) async fn plan_next(
    conn: &mut PgConnection,
    generation: &Generation,
    slot: Slot,
    before: &Call,
) -> Result<(), Stop> {
    let next = NewCall {
        id: CallId::from_uuid(Uuid::now_v7()),
        generation_id: generation.id,
        slot,
        ordinal: before.ordinal + 1,
        model: before.model.clone(),
        price_version: before.price_version.clone(),
        ordered: before.ordered,
        estimate: before.estimate,
    };
    calls::store::insert(conn, &next).await?;
    ledger::hold(conn, next.id, generation.id, next.estimate, generation.day).await?;
    Ok(())
}
