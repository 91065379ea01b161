//! Stills by Google's Gemini API, `v1beta` `generateContent`. One call, one answer: the picture comes in the body.

mod answer;
mod refusal;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::Utc;
use domain::{FailureCode, MicroUsd};
use http::StatusCode;
use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    Catalogue, Certainty, GeminiSettings, ModelRef, NoPrice, ProviderError, Retry, StillAnswer, StillMaker,
    StillRequest,
    catalogue::{InputLimits, Role},
    http_client::{Answer, Purpose, exchange},
    settings::join,
};

/// A picture of 20 MB in base64 with the words around it.
const MAX_ANSWER_BYTES: usize = 32_000_000;

/// Makes stills with one Gemini image model.
pub struct GeminiStills {
    client: Client,
    settings: GeminiSettings,
    catalogue: Arc<Catalogue>,
    model: ModelRef,
}

impl GeminiStills {
    /// A maker for one model of the catalogue.
    ///
    /// # Errors
    /// [`NoPrice`] when the catalogue does not list `model` for stills today.
    pub fn new(
        client: Client,
        settings: GeminiSettings,
        catalogue: Arc<Catalogue>,
        model: &str,
    ) -> Result<Self, NoPrice> {
        let row = catalogue.row(model, Utc::now())?;
        if row.role != Role::Still {
            return Err(NoPrice::NotOffered(model.to_owned(), "it does not make stills"));
        }
        let model = row.model();
        Ok(Self { client, settings, catalogue, model })
    }

    async fn send(&self, request: &StillRequest) -> Result<Answer, ProviderError> {
        let url = join(&self.settings.base_url, &format!("v1beta/models/{}:generateContent", self.model.id));
        let key = self.settings.key.expose_secret();
        let mut header = HeaderValue::from_str(key).map_err(|_| {
            ProviderError::new(
                FailureCode::ProviderAccount,
                Certainty::NotSent,
                Retry::Never,
                "the key is not a header",
            )
        })?;
        header.set_sensitive(true);
        let sending =
            self.client.post(url).header(HeaderName::from_static("x-goog-api-key"), header).json(&body(request));
        exchange(sending, Purpose::Pays, self.settings.timeout, MAX_ANSWER_BYTES).await
    }

    /// What the answer counted costs; the amount `held` when it counted nothing.
    fn price(&self, usage: &Value, held: MicroUsd) -> MicroUsd {
        self.catalogue.price_still_usage(&self.model.id, usage, Utc::now()).unwrap_or_else(|_| {
            tracing::warn!(model = %self.model, "{} answered without a token count, its quote is taken", self.model);
            held
        })
    }

    async fn answer(&self, request: &StillRequest) -> Result<StillAnswer, ProviderError> {
        let now = Utc::now();
        let held = self.catalogue.quote_still(&self.model.id, 1, now)?;
        check_photo(request, &self.catalogue.row(&self.model.id, now)?.limits)?;
        let answer = self.send(request).await?;
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
}

#[async_trait]
impl StillMaker for GeminiStills {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    async fn make_still(&self, request: &StillRequest) -> Result<StillAnswer, ProviderError> {
        let started = std::time::Instant::now();
        let answer =
            self.answer(request).await.map_err(|error| error.without_secret(self.settings.key.expose_secret()));
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
        answer
    }
}

fn check_photo(request: &StillRequest, limits: &InputLimits) -> Result<(), ProviderError> {
    let refused =
        |detail: String| Err(ProviderError::new(FailureCode::PhotoRefused, Certainty::NotSent, Retry::Never, detail));
    if request.photo.len() > limits.photo_max_bytes {
        refused(format!("the photo has {} bytes, at most {} are taken", request.photo.len(), limits.photo_max_bytes))
    } else if !limits.photo_types.contains(&request.photo_content_type) {
        refused(format!("a photo of type {} is not taken", request.photo_content_type))
    } else {
        Ok(())
    }
}

fn body(request: &StillRequest) -> Value {
    json!({
        "contents": [{
            "role": "user",
            "parts": [
                {"text": request.prompt},
                {"inlineData": {"mimeType": request.photo_content_type, "data": BASE64.encode(&request.photo)}},
            ],
        }],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": request.aspect.as_str(), "imageSize": "1K"},
        },
    })
}
