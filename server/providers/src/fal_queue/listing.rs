//! The account's list of requests (platform API, `GET /v1/models/requests/by-endpoint`): proof of what was accepted.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::FailureCode;
use reqwest::Method;
use serde::Deserialize;

use super::{FalEndpoint, refusal};
use crate::{AcceptedRequest, Certainty, ProviderError, Retry, http_client::Purpose, settings::join};

const PAGE: usize = 100;
const MAX_PAGES: usize = 20;

#[derive(Deserialize)]
struct Page {
    items: Vec<Item>,
    next_cursor: Option<String>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Item {
    request_id: String,
    endpoint_id: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
}

impl FalEndpoint {
    /// Every request of this endpoint since `since`, oldest first. Works with an ordinary key; costs nothing.
    pub(super) async fn list(&self, since: DateTime<Utc>) -> Result<Vec<AcceptedRequest>, ProviderError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.page(since, cursor.as_deref()).await?;
            found.extend(page.items.into_iter().filter_map(|item| self.accepted(item, since)));
            cursor = page.next_cursor.filter(|_| page.has_more);
            if cursor.is_none() {
                found.sort_by_key(|request| request.at);
                found.dedup_by(|one, other| one.request_id == other.request_id);
                return Ok(found);
            }
        }
        let detail = format!("more than {} requests since {since}", PAGE * MAX_PAGES);
        Err(ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::Never, detail))
    }

    async fn page(&self, since: DateTime<Utc>, cursor: Option<&str>) -> Result<Page, ProviderError> {
        let mut url = join(&self.fal().settings().platform_url, "v1/models/requests/by-endpoint");
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("endpoint_id", self.id());
            query.append_pair("start", &since.to_rfc3339_opts(SecondsFormat::Millis, true));
            query.append_pair("limit", &PAGE.to_string());
            if let Some(cursor) = cursor {
                query.append_pair("cursor", cursor);
            }
        }
        let answer = self.fal().ask(Method::GET, url).await?;
        if !answer.status.is_success() {
            return Err(refusal::refused(&answer, Purpose::Asks));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            let detail = format!("not a list of requests ({error}): {}", answer.text());
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::LATER, detail)
        })
    }

    fn accepted(&self, item: Item, since: DateTime<Utc>) -> Option<AcceptedRequest> {
        let at = item.sent_at.or(item.started_at)?;
        let ours = item.endpoint_id.is_none_or(|endpoint| endpoint == self.id());
        (ours && at >= since).then_some(AcceptedRequest { request_id: item.request_id, at })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_documented_page_is_read() {
        let page: Page = serde_json::from_str(
            r#"{"items":[{"request_id":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","endpoint_id":"fal-ai/flux/dev",
                "started_at":"2025-01-01T00:00:05Z","sent_at":"2025-01-01T00:00:01Z","ended_at":"2025-01-01T00:00:08Z",
                "status_code":200,"duration":7.8,"json_input":{"prompt":"cat"},"json_output":{"status":"ok"}}],
                "next_cursor":"Mg==","has_more":true}"#,
        )
        .unwrap();
        assert!(page.has_more && page.next_cursor.is_some());
        assert_eq!(page.items.first().unwrap().sent_at.unwrap().to_rfc3339(), "2025-01-01T00:00:01+00:00");
    }
}
