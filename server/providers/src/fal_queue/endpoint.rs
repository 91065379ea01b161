//! One endpoint: whatever it makes, its requests are submitted, looked at and cancelled alike.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{FailureCode, MicroUsd};
use reqwest::Method;
use serde_json::{Map, Value};
use url::Url;

use super::{
    Fal, MAX_ANSWER_BYTES, MEDIA_LIFETIME, TIMEOUT,
    answer::{self, Outcome, Step},
    input::{self, Placed},
    place, refusal,
};
use crate::{
    AcceptedRequest, BillableUnits, CancelAnswer, Catalogue, Certainty, ClipMaker, ClipRequest, FileAnswer, Making,
    ModelRef, ModelRow, NoPrice, Order, ProviderError, RequestStatus, Requests, Retry, StillMaker, StillRequest,
    Submitted,
    catalogue::{InputMapping, OutputMapping},
    http_client::{Purpose, exchange},
    settings::join,
};

/// One endpoint of fal.ai.
#[derive(Clone)]
pub struct FalEndpoint {
    fal: Fal,
    model: ModelRef,
}

/// What is sent besides pictures and body.
struct Envelope<'a> {
    webhook_url: Option<&'a Url>,
    tags: &'a [(String, String)],
}

impl FalEndpoint {
    pub(super) const fn new(fal: Fal, model: ModelRef) -> Self {
        Self { fal, model }
    }

    pub(super) const fn fal(&self) -> &Fal {
        &self.fal
    }

    pub(super) fn id(&self) -> &str {
        &self.model.id
    }

    async fn buy_still(&self, request: &StillRequest) -> Result<Submitted, ProviderError> {
        let catalogue = self.fal.0.catalogue.current();
        let (row, mapping) = self.offer(&catalogue, &request.order().into())?;
        let pictures = input::still_pictures(row, mapping, request)?;
        let body = input::still_body(mapping, request);
        let envelope = Envelope { webhook_url: request.webhook_url.as_ref(), tags: &request.tags };
        self.buy(pictures, body, &envelope).await
    }

    async fn buy_clip(&self, request: &ClipRequest) -> Result<Submitted, ProviderError> {
        let catalogue = self.fal.0.catalogue.current();
        let (row, mapping) = self.offer(&catalogue, &request.order().into())?;
        let pictures = input::clip_pictures(row, mapping, request)?;
        let body = input::clip_body(row, mapping, request)?;
        let envelope = Envelope { webhook_url: request.webhook_url.as_ref(), tags: &request.tags };
        self.buy(pictures, body, &envelope).await
    }

    /// The row and mapping of an order that has a price today.
    fn offer<'a>(
        &self,
        catalogue: &'a Catalogue,
        order: &Order,
    ) -> Result<(&'a ModelRow, &'a InputMapping), ProviderError> {
        let now = Utc::now();
        catalogue.quote(&self.model, order, now)?;
        let row = catalogue.offer(&self.model, now)?;
        let unmapped = || NoPrice::NotOffered(self.model.to_string(), "the catalogue does not say how to ask it");
        let mapping = row.input.as_ref().ok_or_else(unmapped)?;
        Ok((row, mapping))
    }

    async fn buy(
        &self,
        pictures: Vec<Placed<'_>>,
        mut body: Map<String, Value>,
        envelope: &Envelope<'_>,
    ) -> Result<Submitted, ProviderError> {
        for placed in &pictures {
            let stored = self.fal.upload(placed.picture, placed.name).await?;
            placed.write(&stored, &mut body);
        }
        let queue = &self.fal.settings().queue_url;
        let mut url = join(queue, self.id());
        if let Some(webhook) = envelope.webhook_url {
            url.query_pairs_mut().append_pair("fal_webhook", webhook.as_str());
        }
        let mut sending =
            self.fal.signed(Method::POST, url)?.header("X-Fal-Object-Lifecycle-Preference", MEDIA_LIFETIME).json(&body);
        if let Some(tags) = input::tags(envelope.tags) {
            sending = sending.header("X-Fal-Tags", tags);
        }
        let answer = exchange(sending, Purpose::Pays, TIMEOUT, MAX_ANSWER_BYTES).await?;
        answer::submitted(&answer, queue, self.id())
    }

    /// Says what became of a submit, and takes the key out of its error.
    fn told(&self, outcome: Result<Submitted, ProviderError>) -> Result<Submitted, ProviderError> {
        let outcome = self.fal.clean(outcome);
        let model = &self.model;
        match &outcome {
            Ok(Submitted { request_id, .. }) => {
                tracing::info!(%model, provider.request_id = %request_id, "{model} accepted {request_id}");
            }
            Err(error) => {
                tracing::warn!(%model, certainty = ?error.certainty, "{model} did not accept a request: {error}");
            }
        }
        outcome
    }

    async fn look(&self, submitted: &Submitted, order: &Order) -> Result<RequestStatus, ProviderError> {
        let mut url = submitted.status_url.clone();
        url.query_pairs_mut().append_pair("logs", "0");
        let status = self.fal.ask(Method::GET, url).await?;
        let failure = match answer::step(&status)? {
            Step::Queued(position) => return Ok(RequestStatus::Queued { position }),
            Step::Running => return Ok(RequestStatus::Running),
            Step::Completed(failure) => failure,
        };
        let catalogue = self.fal.0.catalogue.current();
        // The row of today, also when the model is retired by now.
        let row = catalogue.row(&self.model, Utc::now()).map_err(unpriced)?;
        let result = self.fal.ask(Method::GET, submitted.response_url.clone()).await?;
        let units = result.header("x-fal-billable-units").and_then(BillableUnits::parse);
        let charged = units.and_then(|units| row.charge(units, order));
        if let Some(failure) = failure {
            return Err(refusal::ended(&result, Some(&failure), charged));
        }
        match answer::result(&result, output(row)?)? {
            Outcome::NotReady => Ok(RequestStatus::Running),
            Outcome::Failed => Err(refusal::ended(&result, None, charged)),
            Outcome::File { url, content_type } => {
                let cost_expected = row.price_of(order).map_err(unpriced)?;
                let cost = self.compare(charged, cost_expected);
                let file = FileAnswer { url, content_type, billable_units: units, cost, cost_expected };
                Ok(RequestStatus::Finished(file))
            }
        }
    }

    /// The bill, or our own price where there is none; a difference is worth a line.
    fn compare(&self, charged: Option<MicroUsd>, expected: MicroUsd) -> MicroUsd {
        let cost = charged.unwrap_or(expected);
        if cost != expected {
            tracing::warn!(
                model = %self.model, call.cost_micro_usd = cost.micros(), call.expected_micro_usd = expected.micros(),
                "{} charged {}, our price list says {}", self.model, cost.display_exact(), expected.display_exact()
            );
        }
        cost
    }
}

#[async_trait]
impl Requests for FalEndpoint {
    fn locate(&self, request_id: &str) -> Result<Submitted, ProviderError> {
        place::of(&self.fal.settings().queue_url, self.id(), request_id).ok_or_else(|| {
            let detail = "not a request id of fal";
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::Never, detail)
        })
    }

    async fn check(&self, submitted: &Submitted, order: &Order) -> Result<RequestStatus, ProviderError> {
        // The addresses were stored for a while: they must still be where the key may go.
        let submitted = place::checked(submitted, &self.fal.settings().queue_url, self.id())?;
        let outcome = self.fal.clean(self.look(&submitted, order).await);
        let (model, request_id) = (&self.model, &submitted.request_id);
        match &outcome {
            Ok(RequestStatus::Finished(file)) => tracing::info!(
                %model, provider.request_id = %request_id, call.cost_micro_usd = file.cost.micros(),
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
        let submitted = place::checked(submitted, &self.fal.settings().queue_url, self.id())?;
        let answer = self.fal.clean(self.fal.ask(Method::PUT, submitted.cancel_url.clone()).await)?;
        let outcome = self.fal.clean(answer::cancelled(&answer))?;
        let (model, request_id) = (&self.model, &submitted.request_id);
        tracing::info!(%model, provider.request_id = %request_id, "cancelling {request_id} of {model}: {outcome:?}");
        Ok(outcome)
    }

    async fn accepted_since(&self, since: DateTime<Utc>) -> Result<Vec<AcceptedRequest>, ProviderError> {
        self.fal.clean(self.list(since).await)
    }
}

#[async_trait]
impl StillMaker for FalEndpoint {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    async fn make_still(&self, request: &StillRequest) -> Result<Making, ProviderError> {
        self.told(self.buy_still(request).await).map(Making::Accepted)
    }

    fn requests(&self) -> Option<&dyn Requests> {
        Some(self)
    }
}

#[async_trait]
impl ClipMaker for FalEndpoint {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    async fn submit(&self, request: &ClipRequest) -> Result<Submitted, ProviderError> {
        self.told(self.buy_clip(request).await)
    }
}

fn output(row: &ModelRow) -> Result<&OutputMapping, ProviderError> {
    let unmapped = || NoPrice::NotOffered(row.model().to_string(), "the catalogue does not say where its file is");
    row.output.as_ref().ok_or_else(unmapped).map_err(unpriced)
}

/// The request is bought and the catalogue cannot say what it costs: the catalogue is at fault and can be mended.
fn unpriced(error: NoPrice) -> ProviderError {
    ProviderError { certainty: Certainty::Unchanged, retry: Retry::LATER, ..error.into() }
}
