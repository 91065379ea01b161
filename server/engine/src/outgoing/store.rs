//! Rows of webhooks: addresses, and what they are told.

use chrono::{DateTime, Utc};
use domain::{DeliveryId, EndpointId, GenerationId, UserId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Delivery, Endpoint, NewEndpoint};

/// Deliveries are kept for so many days.
const KEEP_DAYS: i32 = 30;

/// What is needed to send one.
pub(super) struct Pending {
    pub(super) id: DeliveryId,
    pub(super) endpoint: EndpointId,
    pub(super) url: String,
    pub(super) event: String,
    pub(super) payload: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) tries: u16,
    /// Nothing is sent there any more.
    pub(super) is_disabled: bool,
}

/// An address that nobody removes or disables until the transaction ends.
pub(super) struct Held {
    pub(super) is_disabled: bool,
}

/// What a try came to.
pub(super) struct Tried<'a> {
    pub(super) status: Option<u16>,
    pub(super) error: Option<&'a str>,
    pub(super) next_try_at: Option<DateTime<Utc>>,
    pub(super) is_delivered: bool,
}

/// Writes what is told of a generation as it is in this transaction, for every address that wants it. An address that is
/// being removed is waited for and left out. The time is that of now, not of the transaction's beginning: whoever changes what a
/// product shows holds the product by now, so of two such messages the later one tells what is shown.
pub(super) async fn insert(
    conn: &mut PgConnection,
    generation: GenerationId,
    event: &str,
) -> Result<Vec<(DeliveryId, EndpointId)>, sqlx::Error> {
    let rows = sqlx::query!(
        "insert into webhook_deliveries (id, endpoint_id, event, generation_id, created_at, payload)
         select gen_random_uuid(), e.id, $2, g.id, clock_timestamp(), jsonb_strip_nulls(jsonb_build_object(
             'jobId', g.id, 'productId', g.product_id, 'status', upper(g.state), 'progress', g.progress,
             'videoId', case when g.state = 'completed' then g.video_id end, 'errorCode', g.failure_code))
         from webhook_endpoints e cross join generations g
         where e.disabled_at is null and $2 = any(e.events) and g.id = $1
         for key share of e
         returning id, endpoint_id",
        generation.uuid(),
        event,
    )
    .fetch_all(conn)
    .await?;
    let pair = |id, endpoint| (DeliveryId::from_uuid(id), EndpointId::from_uuid(endpoint));
    Ok(rows.into_iter().map(|row| pair(row.id, row.endpoint_id)).collect())
}

/// None without the address.
pub(super) async fn insert_ping(
    conn: &mut PgConnection,
    endpoint: EndpointId,
) -> Result<Option<DeliveryId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "insert into webhook_deliveries (id, endpoint_id, event, payload)
         select $2, e.id, 'ping', '{}' from webhook_endpoints e where e.id = $1 and e.disabled_at is null
         for key share of e
         returning id",
        endpoint.uuid(),
        Uuid::now_v7(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(DeliveryId::from_uuid))
}

pub(super) async fn count_endpoints(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    // One at a time, so that two cannot share the last place.
    sqlx::query!("lock table webhook_endpoints in share row exclusive mode").execute(&mut *conn).await?;
    sqlx::query_scalar!("select count(*) as \"count!\" from webhook_endpoints").fetch_one(conn).await
}

pub(super) async fn insert_endpoint(
    conn: &mut PgConnection,
    id: EndpointId,
    new: &NewEndpoint,
    by: UserId,
) -> Result<Endpoint, sqlx::Error> {
    let events: Vec<String> = new.events.iter().map(|event| event.as_str().to_owned()).collect();
    let created_at = sqlx::query_scalar!(
        "insert into webhook_endpoints (id, url, events, description, created_by) values ($1, $2, $3, $4, $5)
         returning created_at",
        id.uuid(),
        new.url,
        &events,
        new.description,
        by.uuid(),
    )
    .fetch_one(conn)
    .await?;
    let (url, description) = (new.url.clone(), new.description.clone());
    Ok(Endpoint { id, url, events, description, created_at, disabled_at: None })
}

/// All of them, or one.
pub(super) async fn endpoints(conn: &mut PgConnection, only: Option<EndpointId>) -> Result<Vec<Endpoint>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, url, events, description, created_at, disabled_at from webhook_endpoints
         where $1::uuid is null or id = $1 order by id desc",
        only.map(EndpointId::uuid)
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Endpoint {
            id: EndpointId::from_uuid(row.id),
            url: row.url,
            events: row.events,
            description: row.description,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
        .collect())
}

/// False without the address. What it was told goes with it; its jobs find nothing to send.
pub(super) async fn delete_endpoint(conn: &mut PgConnection, id: EndpointId) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query!("delete from webhook_endpoints where id = $1", id.uuid()).execute(conn).await?;
    Ok(gone.rows_affected() == 1)
}

/// None without the address. Whoever goes on to lock its messages locks it first.
pub(super) async fn hold_endpoint(conn: &mut PgConnection, id: EndpointId) -> Result<Option<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        "select disabled_at is not null as \"is_disabled!\" from webhook_endpoints where id = $1 for share",
        id.uuid()
    )
    .fetch_optional(conn)
    .await
}

/// Sends nothing there any more. What is not sent yet is failed by [`fail_pending`].
pub(super) async fn disable_endpoint(conn: &mut PgConnection, id: EndpointId) -> Result<(), sqlx::Error> {
    sqlx::query!("update webhook_endpoints set disabled_at = now() where id = $1 and disabled_at is null", id.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives up everything an address was to be told. Its jobs find nothing to send.
pub(super) async fn fail_pending(conn: &mut PgConnection, endpoint: EndpointId, why: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_deliveries set state = 'failed', finished_at = now(), next_try_at = null,
             last_error = coalesce(last_error, $2)
         where endpoint_id = $1 and state = 'pending'",
        endpoint.uuid(),
        why,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One that is not sent yet.
pub(super) async fn pending(conn: &mut PgConnection, id: DeliveryId) -> Result<Option<Pending>, sqlx::Error> {
    let row = sqlx::query!(
        "select d.endpoint_id, e.url, d.event, d.payload, d.created_at, d.tries,
             e.disabled_at is not null as \"is_disabled!\"
         from webhook_deliveries d join webhook_endpoints e on e.id = d.endpoint_id
         where d.id = $1 and d.state = 'pending'",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Pending {
        id,
        endpoint: EndpointId::from_uuid(row.endpoint_id),
        url: row.url,
        event: row.event,
        payload: row.payload,
        created_at: row.created_at,
        tries: u16::try_from(row.tries).unwrap_or(u16::MAX),
        is_disabled: row.is_disabled,
    }))
}

pub(super) async fn write_try(conn: &mut PgConnection, id: DeliveryId, tried: &Tried<'_>) -> Result<(), sqlx::Error> {
    let state = match tried.next_try_at {
        Some(_) => "pending",
        None if tried.is_delivered => "delivered",
        None => "failed",
    };
    sqlx::query!(
        "update webhook_deliveries set state = $2, tries = tries + 1, last_status = $3, last_error = $4,
             last_tried_at = now(), next_try_at = $5, finished_at = case when $2 <> 'pending' then now() end
         where id = $1 and state = 'pending'",
        id.uuid(),
        state,
        tried.status.map(|status| i16::try_from(status).unwrap_or(i16::MAX)),
        tried.error.map(|text| text.chars().take(500).collect::<String>()),
        tried.next_try_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn give_up(conn: &mut PgConnection, id: DeliveryId, why: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_deliveries set state = 'failed', finished_at = now(), next_try_at = null,
             last_error = coalesce(last_error, $2)
         where id = $1 and state = 'pending'",
        id.uuid(),
        why.chars().take(500).collect::<String>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn deliveries(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    after: Option<DeliveryId>,
    most: i64,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, event, generation_id, state, tries, last_status, last_error, created_at, last_tried_at, next_try_at
         from webhook_deliveries
         where endpoint_id = $1 and ($2::uuid is null or (created_at, id) <
             (select created_at, id from webhook_deliveries where id = $2))
         order by created_at desc, id desc limit $3",
        endpoint.uuid(),
        after.map(DeliveryId::uuid),
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Delivery {
            id: DeliveryId::from_uuid(row.id),
            event: row.event,
            generation: row.generation_id.map(GenerationId::from_uuid),
            state: row.state,
            tries: u16::try_from(row.tries).unwrap_or(0),
            last_status: row.last_status.and_then(|status| u16::try_from(status).ok()),
            last_error: row.last_error,
            created_at: row.created_at,
            last_tried_at: row.last_tried_at,
            next_try_at: row.next_try_at,
        })
        .collect())
}

/// Its state, while it is held.
pub(super) async fn lock_delivery(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    id: DeliveryId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select state from webhook_deliveries where id = $1 and endpoint_id = $2 for update",
        id.uuid(),
        endpoint.uuid()
    )
    .fetch_optional(conn)
    .await
}

/// As if it had never been sent.
pub(super) async fn begin_again(conn: &mut PgConnection, id: DeliveryId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_deliveries set state = 'pending', tries = 0, finished_at = null, next_try_at = null,
             last_error = null
         where id = $1",
        id.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes what was written down long ago, however it stands; answers how many rows that were. Waits for nobody: what
/// somebody else holds now goes the next time.
pub(crate) async fn forget_old(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from webhook_deliveries where id in
             (select id from webhook_deliveries where created_at < now() - make_interval(days => $1)
              for update skip locked)",
        KEEP_DAYS
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
