//! Call rows. Every change of state is one statement guarded by the state it leaves.

use std::collections::HashMap;

use domain::{CallId, CallState, FailureCode, GenerationId, MicroUsd};
use providers::{ModelRef, Order, Provider, ProviderError};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Call, NewCall, Slot};

struct CallRow {
    id: Uuid,
    generation_id: Uuid,
    slot: String,
    ordinal: i16,
    provider: String,
    model: String,
    price_version: String,
    ordered: Option<Json<Order>>,
    state: String,
    estimate_micro_usd: i64,
    request_id: Option<String>,
    status_url: Option<String>,
    response_url: Option<String>,
    cancel_url: Option<String>,
    intent_at: Option<chrono::DateTime<chrono::Utc>>,
    submitted_at: Option<chrono::DateTime<chrono::Utc>>,
    failure_code: Option<String>,
    detail: Option<String>,
}

impl CallRow {
    fn into_call(self) -> Result<Call, sqlx::Error> {
        let unknown = || sqlx::Error::Decode(format!("unknown provider {:?}", self.provider).into());
        let provider = Provider::parse(&self.provider).ok_or_else(unknown)?;
        let unknown = || sqlx::Error::Decode(format!("unknown slot {:?}", self.slot).into());
        Ok(Call {
            slot: Slot::parse(&self.slot).ok_or_else(unknown)?,
            id: CallId::from_uuid(self.id),
            generation_id: GenerationId::from_uuid(self.generation_id),
            ordinal: self.ordinal,
            model: ModelRef { provider, id: self.model },
            price_version: self.price_version,
            ordered: self.ordered.map(|ordered| ordered.0),
            state: self.state.parse::<CallState>().map_err(|error| sqlx::Error::Decode(error.into()))?,
            estimate: MicroUsd::new(self.estimate_micro_usd),
            request_id: self.request_id,
            status_url: self.status_url,
            response_url: self.response_url,
            cancel_url: self.cancel_url,
            intent_at: self.intent_at,
            submitted_at: self.submitted_at,
            failure: self.failure_code.map(|code| FailureCode::parse(&code)),
            detail: self.detail,
        })
    }
}

pub(crate) async fn insert(conn: &mut PgConnection, call: &NewCall) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into calls (id, generation_id, stage, slot, ordinal, provider, model, price_version, estimate_micro_usd,
             ordered)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        call.id.uuid(),
        call.generation_id.uuid(),
        call.slot.stage().as_str(),
        call.slot.as_str(),
        call.ordinal,
        call.model.provider.as_str(),
        call.model.id,
        call.price_version,
        call.estimate.micros(),
        call.ordered.map(Json) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first calls of new clicks, all of which say what they are bought as.
pub(crate) async fn insert_all(conn: &mut PgConnection, calls: &[NewCall]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into calls (id, generation_id, stage, slot, ordinal, provider, model, price_version, estimate_micro_usd,
             ordered)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[],
             $8::text[], $9::bigint[], $10::jsonb[])",
        &calls.iter().map(|call| call.id.uuid()).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.generation_id.uuid()).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.slot.stage().as_str()).collect::<Vec<_>>() as &[&str],
        &calls.iter().map(|call| call.slot.as_str()).collect::<Vec<_>>() as &[&str],
        &calls.iter().map(|call| call.ordinal).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.model.provider.as_str()).collect::<Vec<_>>() as &[&str],
        &calls.iter().map(|call| call.model.id.as_str()).collect::<Vec<_>>() as &[&str],
        &calls.iter().map(|call| call.price_version.as_str()).collect::<Vec<_>>() as &[&str],
        &calls.iter().map(|call| call.estimate.micros()).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.ordered.map(Json)).collect::<Vec<_>>() as &[Option<Json<Order>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The call of a slot that counts now: the one with the highest ordinal.
pub(crate) async fn latest(
    conn: &mut PgConnection,
    generation: GenerationId,
    slot: Slot,
) -> Result<Option<Call>, sqlx::Error> {
    let row = sqlx::query_as!(
        CallRow,
        "select id, generation_id, slot, ordinal, provider, model, price_version, ordered as \"ordered: Json<Order>\", state, estimate_micro_usd, request_id,
             status_url, response_url, cancel_url, intent_at, submitted_at, failure_code,
             detail
         from calls where generation_id = $1 and slot = $2 order by ordinal desc limit 1",
        generation.uuid(),
        slot.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(CallRow::into_call).transpose()
}

/// Calls of a generation that are not closed yet, locked.
pub(crate) async fn lock_open(conn: &mut PgConnection, generation: GenerationId) -> Result<Vec<Call>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CallRow,
        "select id, generation_id, slot, ordinal, provider, model, price_version, ordered as \"ordered: Json<Order>\", state, estimate_micro_usd, request_id,
             status_url, response_url, cancel_url, intent_at, submitted_at, failure_code,
             detail
         from calls where generation_id = $1 and state in ('planned', 'intent', 'submitted', 'in_doubt')
         order by created_at, id for update",
        generation.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(CallRow::into_call).collect()
}

/// What became of these calls; unknown ones are left out.
pub(crate) async fn states(
    conn: &mut PgConnection,
    calls: &[CallId],
) -> Result<HashMap<CallId, CallState>, sqlx::Error> {
    let ids: Vec<Uuid> = calls.iter().map(|call| call.uuid()).collect();
    let rows = sqlx::query!("select id, state from calls where id = any($1)", &ids).fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let state = row.state.parse::<CallState>().map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok((CallId::from_uuid(row.id), state))
        })
        .collect()
}

pub(crate) async fn by_id(conn: &mut PgConnection, call: CallId) -> Result<Option<Call>, sqlx::Error> {
    let row = sqlx::query_as!(
        CallRow,
        "select id, generation_id, slot, ordinal, provider, model, price_version, ordered as \"ordered: Json<Order>\", state, estimate_micro_usd, request_id,
             status_url, response_url, cancel_url, intent_at, submitted_at, failure_code,
             detail
         from calls where id = $1",
        call.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(CallRow::into_call).transpose()
}

/// planned → intent: from here on the request may be sent. False when it was not planned any more, or a person wants
/// the generation to end.
pub(crate) async fn intend(conn: &mut PgConnection, call: CallId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'intent', intent_at = now() where id = $1 and state = 'planned'
             and not exists (select 1 from generations g
                 where g.id = calls.generation_id and g.cancel_requested_at is not null)",
        call.uuid()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// intent → planned: the provider certainly started nothing.
pub(crate) async fn plan_again(conn: &mut PgConnection, call: CallId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'planned', intent_at = null where id = $1 and state in ('intent', 'in_doubt')",
        call.uuid()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Where a submitted request can be asked for.
pub(crate) struct Addresses<'a> {
    pub(crate) status: Option<&'a str>,
    pub(crate) response: Option<&'a str>,
    pub(crate) cancel: Option<&'a str>,
}

/// intent | in doubt → submitted, with the provider's name for the request; not once a cost was assumed for it.
pub(crate) async fn submit(
    conn: &mut PgConnection,
    call: CallId,
    request_id: &str,
    addresses: Addresses<'_>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'submitted', submitted_at = now(), request_id = $2,
             status_url = $3, response_url = $4, cancel_url = $5
         where id = $1 and state in ('intent', 'in_doubt') and cost_micro_usd is null",
        call.uuid(),
        request_id,
        addresses.status,
        addresses.response,
        addresses.cancel,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// planned → submitted: it was put back because nothing of it was to be found, and now its request is named after all.
/// Nobody can name a call that was never sent.
pub(crate) async fn adopt(conn: &mut PgConnection, call: CallId, request_id: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'submitted', intent_at = now(), submitted_at = now(), request_id = $2
         where id = $1 and state = 'planned'",
        call.uuid(),
        request_id,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// submitted → in doubt: the request it was named after by a report is none the provider knows. One whose submit was answered
/// keeps its name.
pub(crate) async fn unname(conn: &mut PgConnection, call: CallId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'in_doubt', request_id = null, submitted_at = null
         where id = $1 and state = 'submitted' and status_url is null",
        call.uuid()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// → done, with what it cost.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    call: CallId,
    request_id: Option<&str>,
    cost: MicroUsd,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'done', finished_at = now(), cost_micro_usd = $3, request_id = coalesce($2, request_id)
         where id = $1 and state in ('intent', 'submitted')",
        call.uuid(),
        request_id,
        cost.micros(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// → failed, for this reason. `cost` is what the provider charged all the same; a charge keeps its name on the bill.
pub(crate) async fn fail(
    conn: &mut PgConnection,
    call: CallId,
    error: &ProviderError,
    cost: Option<MicroUsd>,
) -> Result<(), sqlx::Error> {
    let charged_as = error.request_id.as_deref().filter(|_| cost.is_some_and(|amount| amount.micros() > 0));
    sqlx::query!(
        "update calls set state = 'failed', finished_at = now(), failure_code = $2, cost_micro_usd = $3, detail = $4,
             request_id = coalesce(request_id, $5)
         where id = $1 and state in ('intent', 'submitted', 'in_doubt')",
        call.uuid(),
        error.code.as_str(),
        cost.map(MicroUsd::micros),
        error.detail.chars().take(1000).collect::<String>(),
        charged_as,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// intent → in doubt. False when a webhook has told its request id meanwhile: then there is no doubt.
pub(crate) async fn doubt(conn: &mut PgConnection, call: CallId, detail: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'in_doubt', detail = $2 where id = $1 and state = 'intent'",
        call.uuid(),
        detail.chars().take(1000).collect::<String>(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// intent | submitted → in doubt, for good: the generation ends and nobody will ask any more.
pub(crate) async fn abandon(conn: &mut PgConnection, call: CallId, detail: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'in_doubt', detail = $2 where id = $1 and state in ('intent', 'submitted')",
        call.uuid(),
        detail.chars().take(1000).collect::<String>(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down what an in-doubt call is taken to have cost; it stays in doubt.
pub(crate) async fn assume_cost(conn: &mut PgConnection, call: CallId, cost: MicroUsd) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update calls set cost_micro_usd = $2, finished_at = now() where id = $1 and state = 'in_doubt' and cost_micro_usd is null",
        call.uuid(),
        cost.micros(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Calls of a slot whose outcome nobody knows and that no amount was assumed for yet: in doubt, or named too late by a
/// webhook, when the call that replaced them had been made.
pub(crate) async fn doubtful(
    conn: &mut PgConnection,
    generation: GenerationId,
    slot: Slot,
) -> Result<Vec<(CallId, MicroUsd)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, estimate_micro_usd from calls where generation_id = $1 and slot = $2
             and state in ('in_doubt', 'submitted') and cost_micro_usd is null",
        generation.uuid(),
        slot.as_str(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (CallId::from_uuid(row.id), MicroUsd::new(row.estimate_micro_usd))).collect())
}

/// planned → void.
pub(crate) async fn void(conn: &mut PgConnection, call: CallId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update calls set state = 'void', finished_at = now() where id = $1 and state = 'planned'",
        call.uuid()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// planned → void, because its model could not make it: another one is asked instead.
pub(crate) async fn pass_over(conn: &mut PgConnection, call: CallId, code: FailureCode) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update calls set state = 'void', finished_at = now(), failure_code = $2 where id = $1 and state = 'planned'",
        call.uuid(),
        code.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
