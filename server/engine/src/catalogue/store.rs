//! Rows and retirements of the catalogue, and the figures of its models.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    MicroUsd, UserId,
    models::{ModelChange, ModelChangeKind, ModelFigures},
};
use providers::{ModelRef, Provider, catalogue::ModelRow};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Mark, Retirement, Withdrawn, view::prices};

/// Serialises writers: two processes that start at once would write the same row twice.
pub(super) async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('lookreel.catalogue'))").fetch_one(conn).await?;
    Ok(())
}

/// Writes a row of the file, unless the newest one of the file for the same model and day is the same; one that was
/// withdrawn as well, where it shall return.
pub(super) async fn insert_of_file(
    conn: &mut PgConnection,
    model: &ModelRef,
    valid_from: NaiveDate,
    spec: &Value,
    withdrawn: Withdrawn,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into catalogue_rows (provider, model, valid_from, spec)
         select $1, $2, $3, $4
         where not exists (select 1 from (select id, spec from catalogue_rows
             where provider = $1 and model = $2 and valid_from = $3 and added_by is null
             order by id desc limit 1) newest where newest.spec = $4
             and not ($5 and exists (select 1 from catalogue_withdrawals w where w.provider = $1 and w.model = $2
                 and w.valid_from = $3 and w.row_id >= newest.id)))",
        model.provider.as_str(),
        model.id,
        valid_from,
        spec,
        withdrawn == Withdrawn::Returns,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert_of_person(
    conn: &mut PgConnection,
    model: &ModelRef,
    valid_from: NaiveDate,
    spec: &Value,
    by: UserId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into catalogue_rows (provider, model, valid_from, spec, added_by, reason) values ($1, $2, $3, $4, $5, $6)",
        model.provider.as_str(),
        model.id,
        valid_from,
        spec,
        by.uuid(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_retirement(
    conn: &mut PgConnection,
    model: &ModelRef,
    retires_on: Option<NaiveDate>,
    by: UserId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into catalogue_retirements (provider, model, retires_on, set_by, reason) values ($1, $2, $3, $4, $5)",
        model.provider.as_str(),
        model.id,
        retires_on,
        by.uuid(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Withdraws what begins on a day; false when nothing does any more.
pub(super) async fn insert_withdrawal(
    conn: &mut PgConnection,
    model: &ModelRef,
    valid_from: NaiveDate,
    by: UserId,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into catalogue_withdrawals (provider, model, valid_from, row_id, withdrawn_by, reason)
         select $1, $2, $3, max(r.id), $4, $5 from catalogue_rows r
         where r.provider = $1 and r.model = $2 and r.valid_from = $3
             and not exists (select 1 from catalogue_withdrawals w where w.provider = r.provider
                 and w.model = r.model and w.valid_from = r.valid_from and w.row_id >= r.id)
         having count(*) > 0",
        model.provider.as_str(),
        model.id,
        valid_from,
        by.uuid(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn mark(conn: &mut PgConnection) -> Result<Mark, sqlx::Error> {
    sqlx::query_as!(
        Mark,
        "select (select coalesce(max(id), 0) from catalogue_rows) as \"row!\",
             (select coalesce(max(id), 0) from catalogue_retirements) as \"retirement!\",
             (select coalesce(max(id), 0) from catalogue_withdrawals) as \"withdrawal!\""
    )
    .fetch_one(conn)
    .await
}

/// Every row that was not withdrawn and when it was added, newest first.
pub(super) async fn rows(conn: &mut PgConnection) -> Result<Vec<(Value, DateTime<Utc>)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select r.spec, r.added_at from catalogue_rows r
         where not exists (select 1 from catalogue_withdrawals w where w.provider = r.provider
             and w.model = r.model and w.valid_from = r.valid_from and w.row_id >= r.id)
         order by r.id desc"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.spec, row.added_at)).collect())
}

/// What people said last of the retirement of models.
pub(super) async fn retirements(conn: &mut PgConnection) -> Result<HashMap<ModelRef, Retirement>, sqlx::Error> {
    let rows = sqlx::query!(
        "select distinct on (provider, model) provider, model, retires_on, set_at from catalogue_retirements
         order by provider, model, id desc"
    )
    .fetch_all(conn)
    .await?;
    let named = |provider: &str, id: String| Provider::parse(provider).map(|provider| ModelRef { provider, id });
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some((named(&row.provider, row.model)?, Retirement { retires_on: row.retires_on, set_at: row.set_at }))
        })
        .collect())
}

/// What people changed, by model name, newest first, at most so many of one model.
pub(super) async fn changes(
    conn: &mut PgConnection,
    most: i64,
) -> Result<HashMap<String, Vec<ModelChange>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select c.name as \"name!\", c.at as \"at!\", u.name as who, c.kind as \"kind!\", c.day as \"day?\",
             c.spec as \"spec?\", c.reason as \"reason!\"
         from (
             select *, row_number() over (partition by name order by at desc) as nth from (
                 select provider || '/' || model as name, added_at as at, added_by as by, 'price' as kind,
                     valid_from as day, spec, reason
                 from catalogue_rows where added_by is not null
                 union all
                 select provider || '/' || model, set_at, set_by, 'retirement', retires_on, null, reason
                 from catalogue_retirements
                 union all
                 select provider || '/' || model, withdrawn_at, withdrawn_by, 'withdrawal', valid_from, null, reason
                 from catalogue_withdrawals) every) c
         join users u on u.id = c.by
         where c.nth <= $1 order by c.at desc",
        most
    )
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<String, Vec<ModelChange>> = HashMap::new();
    for row in rows {
        let kind = match row.kind.as_str() {
            "price" => ModelChangeKind::Price,
            "withdrawal" => ModelChangeKind::Withdrawal,
            _ => ModelChangeKind::Retirement,
        };
        // A row a newer program wrote may not be understood: its amounts are left out.
        let spec = row.spec.and_then(|spec| serde_json::from_value::<ModelRow>(spec).ok());
        let prices = spec.as_ref().map(prices).unwrap_or_default();
        let change = ModelChange { at: row.at, by: row.who, kind, day: row.day, prices, reason: row.reason };
        found.entry(row.name).or_default().push(change);
    }
    Ok(found)
}

/// How the calls that ended since a moment went, by model name. A call that a person stopped says nothing of its model; one
/// that was passed over for another model does. A result is judged once its generation has ended: published when it is in
/// any video, that of a retry included.
pub(super) async fn figures(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
) -> Result<HashMap<String, ModelFigures>, sqlx::Error> {
    let rows = sqlx::query!(
        "select c.provider || '/' || c.model as \"name!\", count(*) as \"calls!\",
             count(*) filter (where c.state <> 'done') as \"failed!\",
             count(*) filter (where c.state = 'done' and g.finished_at is not null) as \"judged!\",
             count(*) filter (where c.state = 'done' and (g.state = 'completed'
                 or exists (select 1 from stills s join generations r on r.id = s.generation_id
                     where s.call_id = c.id and r.state = 'completed')
                 or c.slot = 'clip' and exists (select 1 from generations r
                     where r.clip_video_id = g.video_id and r.state = 'completed'))) as \"published!\",
             percentile_cont(0.5) within group (order by extract(epoch from c.finished_at - c.intent_at)::float8)
                 filter (where c.state = 'done') as half,
             percentile_cont(0.95) within group (order by extract(epoch from c.finished_at - c.intent_at)::float8)
                 filter (where c.state = 'done') as most,
             (avg(c.cost_micro_usd) filter (where c.state = 'done'))::bigint as average
         from calls c join generations g on g.id = c.generation_id
         where c.finished_at >= $1 and (c.state in ('done', 'failed', 'in_doubt') or c.failure_code is not null)
             and c.failure_code is distinct from 'cancelled'
             and not (c.state <> 'done' and g.cancel_requested_at is not null)
         group by 1",
        since
    )
    .fetch_all(conn)
    .await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let millis = |seconds: f64| (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1000.0).min(4e9) as u32);
    Ok(rows
        .into_iter()
        .map(|row| {
            let figures = ModelFigures {
                calls: count(row.calls),
                failed: count(row.failed),
                judged: count(row.judged),
                published: count(row.published),
                half_ms: row.half.and_then(millis),
                most_ms: row.most.and_then(millis),
                average: row.average.map(MicroUsd::new),
            };
            (row.name, figures)
        })
        .collect())
}
