//! Notice rows.

use chrono::{DateTime, Utc};
use domain::{
    FailureCode, GenerationId, LocalText, MicroUsd, NoticeId, UserId,
    notice::{Bell, Fact, Notice, NoticeBody},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// One notice for the person who clicked; a second for the same generation is not made.
pub(crate) async fn insert_ended(
    conn: &mut PgConnection,
    generation: GenerationId,
    kind: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into notices (id, user_id, kind, generation_id)
         select $1, requested_by, $3, id from generations where id = $2
         on conflict (user_id, generation_id) where generation_id is not null do nothing",
        Uuid::now_v7(),
        generation.uuid(),
        kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everybody learns that the day's limits are nearly used.
pub(crate) async fn insert_limit_near(
    conn: &mut PgConnection,
    percent: u8,
    resets_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let people = sqlx::query_scalar!("select id from users").fetch_all(&mut *conn).await?;
    let ids: Vec<Uuid> = people.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into notices (id, user_id, kind, percent, resets_at)
         select n.id, n.user_id, 'limit_near', $3, $4 from unnest($1::uuid[], $2::uuid[]) as n (id, user_id)",
        &ids,
        &people,
        i16::from(percent),
        resets_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everybody is told a fact; nobody twice of the same subject.
pub(crate) async fn insert_fact(conn: &mut PgConnection, fact: &Fact, subject: &str) -> Result<(), sqlx::Error> {
    let people = sqlx::query_scalar!("select id from users").fetch_all(&mut *conn).await?;
    let ids: Vec<Uuid> = people.iter().map(|_| Uuid::now_v7()).collect();
    let facts = serde_json::to_value(fact).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "insert into notices (id, user_id, kind, subject, facts)
         select n.id, n.user_id, $3, $4, $5 from unnest($1::uuid[], $2::uuid[]) as n (id, user_id)
         on conflict (user_id, kind, subject) where subject is not null do nothing",
        &ids,
        &people,
        fact.kind(),
        subject,
        facts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn bell(conn: &mut PgConnection, of: UserId, most: i64) -> Result<Bell, sqlx::Error> {
    let unread = sqlx::query_scalar!(
        "select count(*) as \"count!\" from notices where user_id = $1 and read_at is null",
        of.uuid()
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        "select n.id, n.kind, n.created_at, n.read_at, n.percent, n.resets_at, n.facts, g.id as \"generation_id?\",
             g.failure_code as \"failure_code?\", p.name_ko as \"name_ko?\", p.name_en as \"name_en?\",
             coalesce((select sum(e.amount_micro_usd) from ledger_entries e
                 where e.generation_id = g.id and e.kind in ('settle', 'adjust')), 0)::bigint as \"paid!\"
         from notices n
         left join generations g on g.id = n.generation_id
         left join products p on p.id = g.product_id
         where n.user_id = $1 order by n.created_at desc, n.id desc limit $2",
        of.uuid(),
        most
    )
    .fetch_all(conn)
    .await?;
    let notices = rows
        .into_iter()
        .filter_map(|row| {
            let product = LocalText { ko: row.name_ko.unwrap_or_default(), en: row.name_en.unwrap_or_default() };
            let cost = MicroUsd::new(row.paid);
            let generation_id = row.generation_id.map(GenerationId::from_uuid);
            let body = match row.kind.as_str() {
                "video_ready" => NoticeBody::VideoReady { generation_id: generation_id?, product, cost },
                "generation_failed" => NoticeBody::GenerationFailed {
                    generation_id: generation_id?,
                    product,
                    failure: FailureCode::parse(&row.failure_code.unwrap_or_default()),
                    cost,
                },
                "limit_near" => NoticeBody::LimitNear {
                    percent: u8::try_from(row.percent?).unwrap_or(100),
                    resets_at: row.resets_at?,
                },
                // A fact of a newer release than this one is left to it.
                _ => NoticeBody::Fact(serde_json::from_value(row.facts?).ok()?),
            };
            Some(Notice { id: NoticeId::from_uuid(row.id), body, at: row.created_at, read: row.read_at.is_some() })
        })
        .collect();
    Ok(Bell { unread: u32::try_from(unread).unwrap_or(0), notices })
}

pub(super) async fn mark_read(conn: &mut PgConnection, of: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("update notices set read_at = now() where user_id = $1 and read_at is null", of.uuid())
        .execute(conn)
        .await?;
    Ok(())
}
