//! Webhooks of shops: what changed is written down in the transaction that changes it, signed in the manner of Standard
//! Webhooks, and sent by jobs of the queue until it is taken or two days have passed.

mod deliver;
mod store;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use domain::{DeliveryId, EndpointId, GenerationId, GenerationState, UserId, options::InvalidOption};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jobs::{Limits, NewJob};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgConnection;
use url::Url;
use uuid::Uuid;

pub(crate) use deliver::handler;
pub(crate) use store::forget_old;

use crate::{Conflict, Engine, Error, Settings, generations::store::audit};

/// Addresses that are told at the same time, at most.
const ENDPOINTS_MAX: i64 = 20;
/// Longest address, in characters.
const URL_MAX_CHARS: usize = 2_000;
/// Longest description, in characters.
const DESCRIPTION_MAX_CHARS: usize = 200;
/// Kind of the jobs that send, and the family of their groups.
pub(crate) const KIND: &str = "webhook";
/// Half a minute after generations that wait: shops are told soon, but nobody's video is late because of it.
const PRIORITY: u16 = 542;

/// What shops are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookEvent {
    /// A generation is in another state, and goes on.
    GenerationUpdated,
    /// A generation gave a video.
    GenerationCompleted,
    /// A generation ended without a video.
    GenerationFailed,
    /// A person stopped a generation.
    GenerationCancelled,
    /// A product shows another video.
    VideoPublished,
    /// A product shows its video no more.
    VideoUnpublished,
    /// Somebody tries whether messages arrive.
    Ping,
}

impl WebhookEvent {
    /// Those that can be asked for; [`Self::Ping`] comes to everybody who tries.
    pub const ALL: [Self; 6] = [
        Self::GenerationUpdated,
        Self::GenerationCompleted,
        Self::GenerationFailed,
        Self::GenerationCancelled,
        Self::VideoPublished,
        Self::VideoUnpublished,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GenerationUpdated => "generation.updated",
            Self::GenerationCompleted => "generation.completed",
            Self::GenerationFailed => "generation.failed",
            Self::GenerationCancelled => "generation.cancelled",
            Self::VideoPublished => "video.published",
            Self::VideoUnpublished => "video.unpublished",
            Self::Ping => "ping",
        }
    }

    /// Reads the word of one that can be asked for.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }

    /// What is told of a generation in a state.
    pub(crate) const fn of(state: GenerationState) -> Self {
        match state {
            GenerationState::Completed => Self::GenerationCompleted,
            GenerationState::Failed => Self::GenerationFailed,
            GenerationState::Cancelled => Self::GenerationCancelled,
            _ => Self::GenerationUpdated,
        }
    }
}

/// An address to be told.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// https on port 443; http on this machine where the providers are simulated.
    pub url: String,
    /// What of.
    pub events: Vec<WebhookEvent>,
    /// For people, at most 200 characters.
    pub description: String,
}

/// An address that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where to.
    pub url: String,
    /// What of; words of [`WebhookEvent`].
    pub events: Vec<String>,
    /// For people.
    pub description: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Since when nothing is sent there: it answered 410.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// One thing an address is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The `webhook-id`.
    pub id: DeliveryId,
    /// A word of [`WebhookEvent`].
    pub event: String,
    /// What it tells of.
    pub generation: Option<GenerationId>,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// How often it was sent.
    pub tries: u16,
    /// The answer to the last try.
    pub last_status: Option<u16>,
    /// Why there was none.
    pub last_error: Option<String>,
    /// Since when there is something to tell.
    pub created_at: DateTime<Utc>,
    /// When it was last sent.
    pub last_tried_at: Option<DateTime<Utc>>,
    /// When it is sent again.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// Writes down what changed for whoever wants to know, in the transaction that changes it. Workers find the jobs within a
/// second of the commit.
pub(crate) async fn tell(conn: &mut PgConnection, id: GenerationId, event: WebhookEvent) -> Result<(), Error> {
    let deliveries = store::insert(conn, id, event.as_str()).await?;
    let jobs: Vec<NewJob> = deliveries.iter().map(|(delivery, endpoint)| job(*delivery, *endpoint)).collect();
    jobs::enqueue_all(conn, &jobs).await?;
    Ok(())
}

/// Every address is a group of its own, with the slots of [`limit_deliveries`].
fn job(delivery: DeliveryId, endpoint: EndpointId) -> NewJob {
    let job = NewJob::new(KIND, format!("{KIND}/{endpoint}"), json!({ "delivery_id": delivery })).priority(PRIORITY);
    job.run_timeout(deliver::GIVEN_UP_AFTER).dedupe_key(dedupe_key(delivery))
}

fn dedupe_key(delivery: DeliveryId) -> String {
    format!("{KIND} {delivery}")
}

/// The limits of workers that have so many seats each, with those of webhooks where the owner set none: messages go to an
/// address one at a time, and all of them together take no more than half of the seats of one worker. So a shop that hangs
/// keeps no other shop waiting where a worker has four seats, and no number of them a generation where it has two.
pub fn limit_deliveries(mut limits: Limits, seats: usize) -> Limits {
    let limit = limits.families.entry(KIND.to_owned()).or_default();
    limit.slots = limit.slots.or(Some((seats / 2).max(1)));
    limit.member_slots = limit.member_slots.or(Some(1));
    limits
}

impl Engine {
    /// Adds an address to be told.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what an address cannot have, [`Error::Conflict`] when there are twenty.
    pub async fn add_endpoint(&self, by: UserId, new: &NewEndpoint) -> Result<Endpoint, Error> {
        self.check_endpoint(new)?;
        let mut tx = self.pg().begin().await?;
        if store::count_endpoints(&mut tx).await? >= ENDPOINTS_MAX {
            return Err(Error::Conflict(Conflict::TooManyWebhooks));
        }
        let id = EndpointId::from_uuid(Uuid::now_v7());
        let endpoint = store::insert_endpoint(&mut tx, id, new, by).await?;
        audit(&mut tx, Some(by), "webhook.added", id.uuid()).await?;
        tx.commit().await?;
        tracing::info!(endpoint.id = %id, user.id = %by, "user {by} added webhook {id}");
        Ok(endpoint)
    }

    /// What the messages of an address are signed with, as people copy it (Standard Webhooks: `whsec_` and base64). It
    /// follows from the installation's secret and the id, and is not stored: whoever adds the address is shown it.
    pub fn endpoint_secret(&self, id: EndpointId) -> SecretString {
        SecretString::from(format!("whsec_{}", STANDARD.encode(signing_key(self.settings(), id))))
    }

    /// Every address that is told, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::endpoints(&mut conn, None).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn endpoint(&self, id: EndpointId) -> Result<Endpoint, Error> {
        let mut conn = self.pg().acquire().await?;
        store::endpoints(&mut conn, Some(id)).await?.pop().ok_or(Error::NotFound("webhook"))
    }

    /// Removes an address with everything it was told.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_endpoint(&self, by: UserId, id: EndpointId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        if !store::delete_endpoint(&mut tx, id).await? {
            return Err(Error::NotFound("webhook"));
        }
        audit(&mut tx, Some(by), "webhook.removed", id.uuid()).await?;
        Ok(tx.commit().await?)
    }

    /// Tells an address that somebody tries whether messages arrive.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn ping_endpoint(&self, id: EndpointId) -> Result<DeliveryId, Error> {
        let mut tx = self.pg().begin().await?;
        let delivery = store::insert_ping(&mut tx, id).await?.ok_or(Error::NotFound("webhook"))?;
        let job = jobs::enqueue(&mut tx, &job(delivery, id)).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        Ok(delivery)
    }

    /// What an address was told, newest first, before `after`; at most `most`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn deliveries(
        &self,
        endpoint: EndpointId,
        after: Option<DeliveryId>,
        most: u32,
    ) -> Result<Vec<Delivery>, Error> {
        self.endpoint(endpoint).await?;
        let mut conn = self.pg().acquire().await?;
        Ok(store::deliveries(&mut conn, endpoint, after, i64::from(most)).await?)
    }

    /// Sends something again, with the same id, however it ended; what waits for its next try is tried now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nothing is sent there any more.
    pub async fn replay_delivery(&self, by: UserId, endpoint: EndpointId, id: DeliveryId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        match store::hold_endpoint(&mut tx, endpoint).await? {
            None => return Err(Error::NotFound("webhook")),
            Some(store::Held { is_disabled: true }) => {
                return Err(Error::Conflict(Conflict::WebhookDisabled));
            }
            Some(store::Held { is_disabled: false }) => {}
        }
        let job = match store::lock_delivery(&mut tx, endpoint, id).await?.as_deref() {
            None => return Err(Error::NotFound("delivery")),
            Some("pending") => {
                let Some(waiting) = jobs::live(&mut tx, &[dedupe_key(id)]).await?.pop() else {
                    return Err(Error::Conflict(Conflict::BeingSent));
                };
                jobs::wake(&mut tx, waiting.id).await?;
                waiting.id
            }
            // Its job ended with it, in one transaction: this one is new.
            Some(_) => {
                store::begin_again(&mut tx, id).await?;
                jobs::enqueue(&mut tx, &job(id, endpoint)).await?
            }
        };
        audit(&mut tx, Some(by), "webhook.replayed", id.uuid()).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        Ok(())
    }

    fn check_endpoint(&self, new: &NewEndpoint) -> Result<(), Error> {
        let mut wrong = Vec::new();
        let mut refuse =
            |field: &str, expected: String| wrong.push(InvalidOption { field: field.to_owned(), expected });
        let allow_loopback = self.settings().webhooks_to_loopback;
        let is_url = Url::parse(&new.url).is_ok_and(|url| {
            url.as_str().chars().count() <= URL_MAX_CHARS
                && providers::check_delivery_address(&url, allow_loopback).is_ok()
        });
        if !is_url || new.url.chars().any(char::is_control) {
            refuse("url", "an https address on port 443 in the open internet".to_owned());
        }
        if new.events.is_empty() {
            refuse("events", WebhookEvent::ALL.map(WebhookEvent::as_str).join("|"));
        }
        if new.description.chars().count() > DESCRIPTION_MAX_CHARS || new.description.contains('\0') {
            refuse("description", format!("at most {DESCRIPTION_MAX_CHARS} characters"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }
}

/// What the messages of an address are signed with: 32 bytes that follow from the installation's secret and its id.
fn signing_key(settings: &Settings, id: EndpointId) -> Vec<u8> {
    mac(settings.callback_secret.expose_secret().as_bytes(), &format!("webhook endpoint {id}"))
}

/// The header `webhook-signature` (Standard Webhooks, symmetric).
fn signature(key: &[u8], id: DeliveryId, timestamp: i64, body: &str) -> String {
    format!("v1,{}", STANDARD.encode(mac(key, &format!("{id}.{timestamp}.{body}"))))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so this never fails; an empty one verifies nowhere.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What is sent: what happened, since when, and its particulars.
fn body(event: &str, at: DateTime<Utc>, data: &Value) -> String {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    json!({ "type": event, "timestamp": at, "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jobs::Limit;

    use super::*;

    #[test]
    fn messages_leave_seats_to_others_unless_the_owner_says_otherwise() {
        for (seats, slots) in [(1, 1), (3, 1), (4, 2), (256, 128)] {
            let limits = limit_deliveries(Limits::default(), seats);
            assert_eq!(limits.families[KIND], Limit::slots(slots).with_member_slots(1), "{seats}");
        }
        let limits = limit_deliveries(Limits::default().with_family(KIND, Limit::slots(7)), 4);
        assert_eq!(limits.families[KIND], Limit::slots(7).with_member_slots(1));
        let group = job(DeliveryId::from_uuid(Uuid::nil()), EndpointId::from_uuid(Uuid::nil())).group;
        assert_eq!(group.split_once('/').map(|(family, _)| family), Some(KIND));
    }

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The example of the specification, with an id of our shape in place of its own.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = DeliveryId::from_uuid(Uuid::nil());
        let body = r#"{"test": 2432232314}"#;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.1614265330.{body}", Uuid::nil()).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(signature(&key, id, 1_614_265_330, body), expected);
    }

    #[test]
    fn every_end_has_an_event() {
        for state in GenerationState::ALL {
            let event = WebhookEvent::of(*state);
            assert_eq!(event == WebhookEvent::GenerationUpdated, !state.is_final(), "{state}");
            assert_eq!(WebhookEvent::parse(event.as_str()), Some(event));
        }
        assert_eq!(WebhookEvent::parse("ping"), None, "it cannot be asked for");
    }
}
