//! What the API says and takes of webhooks.

use chrono::{DateTime, Utc};
use engine::{Delivery, Endpoint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Something a webhook is told of.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum EventWord {
    /// A generation is in another state, and goes on.
    #[serde(rename = "generation.updated")]
    GenerationUpdated,
    /// A generation gave a video.
    #[serde(rename = "generation.completed")]
    GenerationCompleted,
    /// A generation ended without a video.
    #[serde(rename = "generation.failed")]
    GenerationFailed,
    /// A person stopped a generation.
    #[serde(rename = "generation.cancelled")]
    GenerationCancelled,
    /// A product shows another video.
    #[serde(rename = "video.published")]
    VideoPublished,
    /// A product shows its video no more.
    #[serde(rename = "video.unpublished")]
    VideoUnpublished,
}

/// A webhook to be added.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct AddWebhook {
    /// Where to: https on port 443, in the open internet.
    #[schema(format = "uri", min_length = 1, max_length = 2000, example = "https://shop.example/hooks/lookreel")]
    url: String,
    /// What of.
    #[schema(value_type = Vec<EventWord>, min_items = 1, max_items = 20)]
    events: Vec<String>,
    /// For people.
    #[schema(pattern = "^[^\\u0000-\\u001F]*$", max_length = 200, required = false)]
    description: String,
}

/// A webhook.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Where to.
    pub url: String,
    /// What of.
    pub events: Vec<String>,
    /// For people.
    pub description: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Since when nothing is sent there: it answered 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// What messages are signed with. Shown to whoever adds it, and to nobody later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
}

impl From<Endpoint> for Webhook {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            webhook_id: endpoint.id.uuid(),
            url: endpoint.url,
            events: endpoint.events,
            description: endpoint.description,
            created_at: endpoint.created_at,
            disabled_at: endpoint.disabled_at,
            secret: None,
        }
    }
}

/// Every webhook, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// The webhooks, at most twenty.
    pub items: Vec<Webhook>,
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum DeliveryStateWord {
    /// It is being sent, or waits for its next try.
    Pending,
    /// It was answered with 2xx.
    Delivered,
    /// Its tries are used up, or the webhook wants to hear nothing any more.
    Failed,
}

/// One message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDelivery {
    /// The `webhook-id` it is sent with.
    pub delivery_id: Uuid,
    /// What it tells of.
    pub event: String,
    /// The generation it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub job_id: Option<Uuid>,
    /// Where it is.
    #[schema(value_type = DeliveryStateWord)]
    pub state: String,
    /// How often it was sent.
    pub tries: u16,
    /// The answer to the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_status: Option<u16>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_error: Option<String>,
    /// Since when there is something to tell.
    pub created_at: DateTime<Utc>,
    /// When it was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_tried_at: Option<DateTime<Utc>>,
    /// When it is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_try_at: Option<DateTime<Utc>>,
}

impl From<Delivery> for WebhookDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery_id: delivery.id.uuid(),
            event: delivery.event,
            job_id: delivery.generation.map(|id| id.uuid()),
            state: delivery.state,
            tries: delivery.tries,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            created_at: delivery.created_at,
            last_tried_at: delivery.last_tried_at,
            next_try_at: delivery.next_try_at,
        }
    }
}

/// A page of messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPage {
    /// The messages.
    pub items: Vec<WebhookDelivery>,
    /// Where the next page begins; none on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

/// A message that will be sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedDelivery {
    /// The `webhook-id` it is sent with.
    pub delivery_id: Uuid,
}
