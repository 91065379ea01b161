//! Google's list of models (`GET /v1beta/models`): whether the key is good and which models it may use. Costs nothing.

use std::time::Duration;

use chrono::Utc;
use domain::FailureCode;
use http::StatusCode;
use reqwest::Method;
use serde::Deserialize;

use super::{Gemini, refusal};
use crate::{
    Certainty, ProviderError, Retry,
    http_client::{Purpose, exchange},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 4_000_000;
const MAX_PAGES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    models: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
}

impl Gemini {
    /// The ids of the models this key may use.
    ///
    /// # Errors
    /// [`ProviderError`] with [`Certainty::Unchanged`]: the key was refused, or Google could not be asked.
    pub(crate) async fn models(&self) -> Result<Vec<String>, ProviderError> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.clean(self.page(token.as_deref()).await)?;
            found.extend(page.models.into_iter().map(|Item { name }| match name.strip_prefix("models/") {
                Some(id) => id.to_owned(),
                None => name,
            }));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn page(&self, token: Option<&str>) -> Result<Page, ProviderError> {
        let mut asking = self.signed(Method::GET, "models")?.query(&[("pageSize", "1000")]);
        if let Some(token) = token {
            asking = asking.query(&[("pageToken", token)]);
        }
        let answer = exchange(asking, Purpose::Asks, TIMEOUT, MAX_BYTES).await?;
        if answer.status != StatusCode::OK {
            let refused = refusal::of(&answer, Utc::now());
            // No model is named here that could be gone.
            let code = if refused.code == FailureCode::ModelGone { FailureCode::ProviderGarbage } else { refused.code };
            return Err(ProviderError { code, certainty: Certainty::Unchanged, charged: None, ..refused });
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            let detail = format!("not a list of models ({error}): {}", answer.text());
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::LATER, detail)
        })
    }
}
