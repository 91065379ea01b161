//! Stills by Google's Gemini API, `generateContent` of `v1` and `v1beta`. One call, one answer: the picture comes in the
//! body.

mod answer;
pub(crate) mod models;
mod refusal;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::Utc;
use domain::{FailureCode, MicroUsd};
use http::StatusCode;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::{
    Certainty, GeminiSettings, Making, ModelRef, ModelRow, Picture, ProviderError, Requests, Retry, SharedCatalogue,
    StillAnswer, StillMaker, StillRequest,
    http_client::{Answer, Purpose, exchange},
    settings::join,
};

/// A picture of 20 MB in base64 with the words around it.
const MAX_ANSWER_BYTES: usize = 32_000_000;

/// The account at Google. Clones are the same one.
#[derive(Clone)]
pub struct Gemini(Arc<Account>);

struct Account {
    client: Client,
    settings: GeminiSettings,
    catalogue: SharedCatalogue,
}

impl Gemini {
    /// The account of these settings.
    pub fn new(client: Client, settings: GeminiSettings, catalogue: SharedCatalogue) -> Self {
        Self(Arc::new(Account { client, settings, catalogue }))
    }

    /// One of its models. Whether the catalogue offers it is asked when it is used.
    pub fn model(&self, model: &ModelRef) -> GeminiModel {
        GeminiModel { gemini: self.clone(), model: model.clone() }
    }

    /// A request to the API with our key; `path` is what stands behind the version.
    fn signed(&self, method: Method, path: &str) -> Result<RequestBuilder, ProviderError> {
        let settings = &self.0.settings;
        let url: Url = join(&settings.base_url, &format!("{}/{path}", settings.version.as_str()));
        let mut header = HeaderValue::from_str(settings.key.expose_secret()).map_err(|_| {
            let detail = "the key is not a header";
            ProviderError::new(FailureCode::ProviderKey, Certainty::NotSent, Retry::Never, detail)
        })?;
        header.set_sensitive(true);
        Ok(self.0.client.request(method, url).header(HeaderName::from_static("x-goog-api-key"), header))
    }

    /// Takes the key out of an error's text; vendors echo it.
    fn clean<T>(&self, result: Result<T, ProviderError>) -> Result<T, ProviderError> {
        result.map_err(|error| error.without_secret(self.0.settings.key.expose_secret()))
    }
}

/// One image model.
#[derive(Clone)]
pub struct GeminiModel {
    gemini: Gemini,
    model: ModelRef,
}

impl GeminiModel {
    async fn send(&self, request: &StillRequest, row: &ModelRow) -> Result<Answer, ProviderError> {
        let pictures = pictures(request, row)?;
        let path = format!("models/{}:generateContent", self.model.id);
        let sending = self.gemini.signed(Method::POST, &path)?.json(&body(request, &pictures));
        exchange(sending, Purpose::Pays, self.gemini.0.settings.timeout, MAX_ANSWER_BYTES).await
    }

    async fn answer(&self, request: &StillRequest) -> Result<StillAnswer, ProviderError> {
        let now = Utc::now();
        let catalogue = self.gemini.0.catalogue.current();
        let held = catalogue.quote(&self.model, &request.order().into(), now)?;
        let answer = self.send(request, catalogue.offer(&self.model, now)?).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal::of(&answer, now));
        }
        let read = answer::read(&answer)?;
        let charged = self.price(&read.usage, held);
        match read.picture {
            Ok(picture) => Ok(StillAnswer {
                image: picture.bytes,
                content_type: picture.kind.content_type(),
                cost: charged,
                usage: read.usage,
                request_id: read.response_id,
            }),
            Err(missing) => Err(ProviderError::new(missing.code, Certainty::Ended, missing.retry, missing.detail)
                .charging(Some(charged))
                .about(read.response_id)),
        }
    }

    /// What the answer counted costs; the amount `held` when it counted nothing.
    fn price(&self, usage: &Value, held: MicroUsd) -> MicroUsd {
        let catalogue = self.gemini.0.catalogue.current();
        catalogue.price_usage(&self.model, usage, Utc::now()).unwrap_or_else(|_| {
            tracing::warn!(model = %self.model, "{} answered without a token count, its quote is taken", self.model);
            held
        })
    }
}

#[async_trait]
impl StillMaker for GeminiModel {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    async fn make_still(&self, request: &StillRequest) -> Result<Making, ProviderError> {
        let started = std::time::Instant::now();
        let answer = self.gemini.clean(self.answer(request).await);
        let (model, elapsed_ms) = (&self.model, started.elapsed().as_millis());
        match &answer {
            Ok(still) => tracing::info!(
                %model, elapsed_ms, call.cost_micro_usd = still.cost.micros(),
                "{model} made a still of {} bytes in {elapsed_ms} ms", still.image.len()
            ),
            Err(error) => tracing::warn!(
                %model, elapsed_ms, certainty = ?error.certainty,
                "{model} made no still in {elapsed_ms} ms: {error}"
            ),
        }
        answer.map(Making::Made)
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

/// The pictures that are sent, checked: the first photos there is room for, and the person behind them.
fn pictures<'a>(request: &'a StillRequest, row: &ModelRow) -> Result<Vec<&'a Picture>, ProviderError> {
    if request.photos.is_empty() {
        let detail = "a still needs a photo";
        return Err(ProviderError::new(FailureCode::ProviderRejected, Certainty::NotSent, Retry::Never, detail));
    }
    let room = usize::try_from(row.limits.photos_max).unwrap_or(usize::MAX);
    let photos = request.photos.iter().take(room.saturating_sub(usize::from(request.person.is_some())));
    let pictures: Vec<&Picture> = photos.chain(&request.person).collect();
    pictures.iter().try_for_each(|picture| picture.check(&row.limits))?;
    Ok(pictures)
}

fn body(request: &StillRequest, pictures: &[&Picture]) -> Value {
    let mut parts = vec![json!({"text": request.prompt})];
    parts.extend(pictures.iter().map(
        |picture| json!({"inlineData": {"mimeType": picture.content_type, "data": BASE64.encode(&picture.bytes)}}),
    ));
    json!({
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": request.aspect.as_str(), "imageSize": request.size.as_str()},
        },
    })
}
