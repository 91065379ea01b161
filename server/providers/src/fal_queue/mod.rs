//! Clips by fal.ai's queue: upload the pictures, submit, look or be told, fetch the result.
//!
//! There is no failed status: a request that failed is `COMPLETED` with an `error`, and its result answers with the
//! error's HTTP status. Status, result and cancel addresses use only `owner/app` of the endpoint's id.

mod answer;
mod listing;
mod place;
#[cfg(test)]
mod recorded;
mod refusal;
mod storage;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{FailureCode, MicroUsd};
use reqwest::{
    Client, Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::{
    AcceptedRequest, CancelAnswer, Catalogue, Certainty, ClipAnswer, ClipMaker, ClipOrder, ClipRequest, ClipStatus,
    FalSettings, ModelRef, NoPrice, Picture, ProviderError, Retry, Submitted,
    catalogue::{InputLimits, PriceRule, Role},
    http_client::{Answer, Purpose, exchange},
    settings::join,
};
use answer::Step;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 2_000_000;
/// Files are copied when the clip is done; a day leaves time for an outage of ours.
const MEDIA_LIFETIME: &str = r#"{"expiration_duration_seconds":86400}"#;

/// Makes clips with one endpoint of fal.ai.
pub struct FalClips {
    client: Client,
    uploads: Client,
    settings: FalSettings,
    catalogue: Arc<Catalogue>,
    model: ModelRef,
}

impl FalClips {
    /// A maker for one endpoint of the catalogue.
    ///
    /// # Errors
    /// [`ProviderError`] when the catalogue does not list `endpoint` for clips today, or TLS cannot be set up.
    pub fn new(
        client: Client,
        settings: FalSettings,
        catalogue: Arc<Catalogue>,
        endpoint: &str,
    ) -> Result<Self, ProviderError> {
        let row = catalogue.row(endpoint, Utc::now())?;
        if row.role != Role::Clip {
            return Err(NoPrice::NotOffered(endpoint.to_owned(), "it does not make clips").into());
        }
        let model = row.model();
        let uploads = storage::upload_client(settings.allow_loopback)?;
        Ok(Self { client, uploads, settings, catalogue, model })
    }

    /// A request to one of fal's APIs with our key.
    fn signed(&self, method: Method, url: Url) -> Result<RequestBuilder, ProviderError> {
        let text = format!("Key {}", self.settings.key.expose_secret());
        let mut header = HeaderValue::from_str(&text).map_err(|_| {
            let detail = "the key is not a header";
            ProviderError::new(FailureCode::ProviderAccount, Certainty::NotSent, Retry::Never, detail)
        })?;
        header.set_sensitive(true);
        Ok(self.client.request(method, url).header(AUTHORIZATION, header))
    }

    async fn ask(&self, method: Method, url: Url) -> Result<Answer, ProviderError> {
        let request = self.signed(method, url)?;
        exchange(request, Purpose::Asks, TIMEOUT, MAX_ANSWER_BYTES).await
    }

    async fn buy(&self, request: &ClipRequest) -> Result<Submitted, ProviderError> {
        let now = Utc::now();
        self.catalogue.quote_clip(&self.model.id, request.duration, request.resolution, now)?;
        let row = self.catalogue.row(&self.model.id, now)?;
        check_picture(&request.start, &row.limits)?;
        check_picture(&request.end, &row.limits)?;
        let duration = row.duration.as_ref().and_then(|codec| codec.encode(request.duration));
        let start_url = self.upload(&request.start, "start").await?;
        let end_url = self.upload(&request.end, "end").await?;

        let mut url = join(&self.settings.queue_url, &self.model.id);
        if let Some(webhook) = &request.webhook_url {
            url.query_pairs_mut().append_pair("fal_webhook", webhook.as_str());
        }
        let body = json!({
            "image_urls": [start_url, end_url],
            "prompt": request.prompt,
            "resolution": request.resolution.as_str(),
            "transitions": [{"duration": duration, "prompt": request.prompt}],
        });
        let sending =
            self.signed(Method::POST, url)?.header("X-Fal-Object-Lifecycle-Preference", MEDIA_LIFETIME).json(&body);
        let answer = exchange(sending, Purpose::Pays, TIMEOUT, MAX_ANSWER_BYTES).await?;
        answer::submitted(&answer, &self.settings.queue_url, &self.model.id)
    }

    async fn look(&self, submitted: &Submitted, order: &ClipOrder) -> Result<ClipStatus, ProviderError> {
        let mut url = submitted.status_url.clone();
        url.query_pairs_mut().append_pair("logs", "0");
        let status = self.ask(Method::GET, url).await?;
        let failure = match answer::step(&status)? {
            Step::Queued(position) => return Ok(ClipStatus::Queued { position }),
            Step::Running => return Ok(ClipStatus::Running),
            Step::Completed(failure) => failure,
        };
        let result = self.ask(Method::GET, submitted.response_url.clone()).await?;
        let billed = result.header("x-fal-billable-units").and_then(crate::BillableUnits::parse);
        if let Some(failure) = failure {
            return Err(refusal::ended(&result, Some(&failure), self.charge(billed, order)));
        }
        match answer::result(&result)? {
            answer::Outcome::NotReady => Ok(ClipStatus::Running),
            answer::Outcome::Failed => Err(refusal::ended(&result, None, self.charge(billed, order))),
            answer::Outcome::Video(url) => self.finished(url, billed, order).map(ClipStatus::Finished),
        }
    }

    fn finished(
        &self,
        url: Url,
        billable_units: Option<crate::BillableUnits>,
        order: &ClipOrder,
    ) -> Result<ClipAnswer, ProviderError> {
        // The row of today, also when the model is retired by now; the caller keeps the price version it bought at.
        let row = self.catalogue.row(&self.model.id, Utc::now())?;
        let cost_expected = row.clip_price(order.duration, order.resolution)?;
        let cost = self.charge(billable_units, order).unwrap_or(cost_expected);
        if cost != cost_expected {
            tracing::warn!(
                model = %self.model, call.cost_micro_usd = cost.micros(), call.expected_micro_usd = cost_expected.micros(),
                "{} charged {} for a clip, our price list says {}",
                self.model, cost.display_exact(), cost_expected.display_exact()
            );
        }
        Ok(ClipAnswer { url, billable_units, cost, cost_expected })
    }

    /// What the units on the bill cost.
    fn charge(&self, billed: Option<crate::BillableUnits>, order: &ClipOrder) -> Option<MicroUsd> {
        let row = self.catalogue.row(&self.model.id, Utc::now()).ok()?;
        match &row.price {
            PriceRule::PerSecond(seconds) => Some(billed?.cost(seconds.rate(order.resolution)?)),
            PriceRule::Tokens(_) => None,
        }
    }

    /// Takes the key out of an error's text; vendors echo it.
    fn clean<T>(&self, result: Result<T, ProviderError>) -> Result<T, ProviderError> {
        result.map_err(|error| {
            let key = self.settings.key.expose_secret();
            let parts = key.split(':');
            parts.fold(error.without_secret(key), ProviderError::without_secret)
        })
    }
}

#[async_trait]
impl ClipMaker for FalClips {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    async fn submit(&self, request: &ClipRequest) -> Result<Submitted, ProviderError> {
        let outcome = self.clean(self.buy(request).await);
        let model = &self.model;
        match &outcome {
            Ok(Submitted { request_id, .. }) => {
                tracing::info!(%model, provider.request_id = %request_id, "{model} accepted {request_id}");
            }
            Err(error) => {
                tracing::warn!(%model, certainty = ?error.certainty, "{model} did not accept a clip: {error}");
            }
        }
        outcome
    }

    fn locate(&self, request_id: &str) -> Result<Submitted, ProviderError> {
        place::of(&self.settings.queue_url, &self.model.id, request_id).ok_or_else(|| {
            let detail = "not a request id of fal";
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::Never, detail)
        })
    }

    async fn check(&self, submitted: &Submitted, order: &ClipOrder) -> Result<ClipStatus, ProviderError> {
        // The addresses were stored for a while: they must still be where the key may go.
        let submitted = place::checked(submitted, &self.settings.queue_url, &self.model.id)?;
        let outcome = self.clean(self.look(&submitted, order).await);
        let (model, request_id) = (&self.model, &submitted.request_id);
        match &outcome {
            Ok(ClipStatus::Finished(clip)) => tracing::info!(
                %model, provider.request_id = %request_id, call.cost_micro_usd = clip.cost.micros(),
                "{model} finished {request_id}"
            ),
            Ok(status) => tracing::debug!(%model, provider.request_id = %request_id, "{request_id} is {status:?}"),
            Err(error) => tracing::warn!(
                %model, provider.request_id = %request_id, certainty = ?error.certainty,
                "looking at {request_id} of {model}: {error}"
            ),
        }
        outcome.map_err(|error| error.about(Some(request_id.clone())))
    }

    async fn cancel(&self, submitted: &Submitted) -> Result<CancelAnswer, ProviderError> {
        let submitted = place::checked(submitted, &self.settings.queue_url, &self.model.id)?;
        let answer = self.clean(self.ask(Method::PUT, submitted.cancel_url.clone()).await)?;
        let outcome = self.clean(answer::cancelled(&answer))?;
        let (model, request_id) = (&self.model, &submitted.request_id);
        tracing::info!(%model, provider.request_id = %request_id, "cancelling {request_id} of {model}: {outcome:?}");
        Ok(outcome)
    }

    async fn accepted_since(&self, since: DateTime<Utc>) -> Result<Vec<AcceptedRequest>, ProviderError> {
        self.clean(self.list(since).await)
    }
}

fn check_picture(picture: &Picture, limits: &InputLimits) -> Result<(), ProviderError> {
    let detail = if picture.bytes.len() > limits.photo_max_bytes {
        format!("the picture has {} bytes, at most {} are taken", picture.bytes.len(), limits.photo_max_bytes)
    } else if !limits.photo_types.contains(&picture.content_type) {
        format!("a picture of type {} is not taken", picture.content_type)
    } else {
        return Ok(());
    };
    Err(ProviderError::new(FailureCode::PhotoRefused, Certainty::NotSent, Retry::Never, detail))
}

/// The JSON of an answer, or nothing.
fn json_of(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
