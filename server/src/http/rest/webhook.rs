//! `/api/admin/webhooks`: addresses of shops that are told what changed, in the manner of Standard Webhooks.

use std::{fmt::Display, sync::Arc};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State as FromState,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use domain::{DeliveryId, EndpointId, Scope};
use engine::{NewEndpoint, WebhookEvent};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{
    Rest,
    caller::Caller,
    idempotency::{self, Answer, Need},
    input::{self, Nothing, Params},
    page::PageQuery,
    paths,
    problem::{Code, FieldCode, Problem},
    refused,
    video::fresh,
    webhook_schema::{AcceptedDelivery, AddWebhook, DeliveryPage, Webhook, WebhookDelivery, WebhookList},
};

/// Longest answer of a webhook that is read, in bytes: each of its texts is far shorter.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

fn events(value: &Value) -> Result<Vec<WebhookEvent>, FieldCode> {
    let words = value.as_array().ok_or(FieldCode::WrongType)?;
    let mut events = Vec::with_capacity(words.len().min(20));
    for word in words {
        let event = word.as_str().ok_or(FieldCode::WrongType)?;
        let event = WebhookEvent::parse(event).ok_or(FieldCode::InvalidValue)?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if (1..=20).contains(&words.len()) { Ok(events) } else { Err(FieldCode::InvalidValue) }
}

/// Adds an address that is told what changes.
///
/// Its `secret` is in this answer, also when that is given again for the same `Idempotency-Key`, and in no other; it is not
/// stored. Messages carry `webhook-id`, `webhook-timestamp` and
/// `webhook-signature` of Standard Webhooks.
#[utoipa::path(
    post, path = "/api/admin/webhooks", operation_id = "addWebhook", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Names the request: sent again with the same key it adds nothing new.")),
    request_body = AddWebhook,
    responses((status = 201, description = "Added.", body = Webhook,
        headers(("Location" = String, description = "Where it is.")))),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn add(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    input::Sent(body): input::Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let mut fields = input::json(&headers, &body)?;
    let new = NewEndpoint {
        url: fields.required("url", "an https address", input::text(1, 2_000)),
        events: fields.required("events", "1 to 20 events", events),
        description: fields.optional("description", "at most 200 characters", input::text(0, 200)).unwrap_or_default(),
    };
    fields.finish()?;
    let work = async {
        let endpoint = rest.engine.add_endpoint(caller.user, &new).await.map_err(refused)?;
        let location = format!("{}/{}", paths::WEBHOOKS, endpoint.id);
        Ok(Answer::new(StatusCode::CREATED, &Webhook::from(endpoint))?.at(location))
    };
    let answer = rest.once(&caller, key.as_deref(), &[b"POST webhooks", &body], work).await?;
    with_secret(&rest, answer).await
}

/// The answer of a webhook that was added, with its secret. That follows from the webhook's id whenever the answer is given:
/// the one that is kept for its key is without it.
async fn with_secret(rest: &Rest, answer: Response) -> Result<Response, Problem> {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, ANSWER_MAX_BYTES).await.map_err(unreadable)?;
    let webhook: Webhook = serde_json::from_slice(&body).map_err(unreadable)?;
    let secret = rest.engine.endpoint_secret(EndpointId::from_uuid(webhook.webhook_id));
    let webhook = Webhook { secret: Some(secret.expose_secret().to_owned()), ..webhook };
    let body = serde_json::to_vec(&webhook).map_err(unreadable)?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn unreadable(error: impl Display) -> Problem {
    tracing::error!(%error, "the answer of a webhook could not be read: {error}");
    Problem::new(Code::Internal)
}

/// Every webhook.
#[utoipa::path(
    get, path = "/api/admin/webhooks", operation_id = "listWebhooks", tag = "webhooks",
    responses((status = 200, description = "All of them.", body = WebhookList)),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn list(FromState(rest): FromState<Arc<Rest>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let endpoints = rest.engine.endpoints().await.map_err(refused)?;
    Ok(fresh(Json(WebhookList { items: endpoints.into_iter().map(Webhook::from).collect() })))
}

/// One webhook.
#[utoipa::path(
    get, path = "/api/admin/webhooks/{webhookId}", operation_id = "getWebhook", tag = "webhooks",
    params(("webhookId" = Uuid, Path, description = "The webhook.")),
    responses((status = 200, description = "The webhook.", body = Webhook)),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn get(FromState(rest): FromState<Arc<Rest>>, caller: Caller, params: Params) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let id = params.id("webhookId", EndpointId::from_uuid)?;
    let endpoint = rest.engine.endpoint(id).await.map_err(refused)?;
    Ok(fresh(Json(Webhook::from(endpoint))))
}

/// Removes a webhook with everything it was told.
#[utoipa::path(
    delete, path = "/api/admin/webhooks/{webhookId}", operation_id = "removeWebhook", tag = "webhooks",
    params(("webhookId" = Uuid, Path, description = "The webhook.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn remove(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let id = params.id("webhookId", EndpointId::from_uuid)?;
    rest.engine.remove_endpoint(caller.user, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Sends a message of the type `ping`, to try whether messages arrive.
#[utoipa::path(
    post, path = "/api/admin/webhooks/{webhookId}/ping", operation_id = "pingWebhook", tag = "webhooks",
    params(
        ("webhookId" = Uuid, Path, description = "The webhook."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 202, description = "It will be sent.", body = AcceptedDelivery)),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn ping(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    _: Nothing,
) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let id = params.id("webhookId", EndpointId::from_uuid)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let work = async {
        let delivery = rest.engine.ping_endpoint(id).await.map_err(refused)?;
        Answer::new(StatusCode::ACCEPTED, &AcceptedDelivery { delivery_id: delivery.uuid() })
    };
    rest.once(&caller, key.as_deref(), &[b"POST ping", id.uuid().as_bytes()], work).await
}

/// What a webhook was told, newest first, for thirty days.
#[utoipa::path(
    get, path = "/api/admin/webhooks/{webhookId}/deliveries", operation_id = "listDeliveries", tag = "webhooks",
    params(
        ("webhookId" = Uuid, Path, description = "The webhook."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100, description = "How many, 20 when it is left out."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]{22}$", description = "`nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = DeliveryPage)),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn deliveries(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let id = params.id("webhookId", EndpointId::from_uuid)?;
    let (page, query) = PageQuery::read(&uri)?;
    query.finish()?;
    let after = page.after.map(DeliveryId::from_uuid);
    let deliveries = rest.engine.deliveries(id, after, page.most()).await.map_err(refused)?;
    let (deliveries, next_cursor) = page.cut(deliveries, |delivery| delivery.id.uuid());
    let items = deliveries.into_iter().map(WebhookDelivery::from).collect();
    Ok(fresh(Json(DeliveryPage { items, next_cursor })))
}

/// Sends a message once more, with the same `webhook-id`, however it ended; one that waits for its next try is tried now.
#[utoipa::path(
    post, path = "/api/admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay", operation_id = "replayDelivery",
    tag = "webhooks",
    params(
        ("webhookId" = Uuid, Path, description = "The webhook."),
        ("deliveryId" = Uuid, Path, description = "The message."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 202, description = "It will be sent.", body = AcceptedDelivery)),
    security(("token" = ["webhook:manage"]), ("session" = [])),
)]
pub async fn replay(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    _: Nothing,
) -> Result<Response, Problem> {
    caller.may(Scope::WebhookManage)?;
    let endpoint = params.id("webhookId", EndpointId::from_uuid)?;
    let id = params.id("deliveryId", DeliveryId::from_uuid)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let work = async {
        rest.engine.replay_delivery(caller.user, endpoint, id).await.map_err(refused)?;
        Answer::new(StatusCode::ACCEPTED, &AcceptedDelivery { delivery_id: id.uuid() })
    };
    rest.once(&caller, key.as_deref(), &[b"POST replay", id.uuid().as_bytes()], work).await
}
