//! fal's storage: pictures that need not be public. Announce, then put.

use domain::FailureCode;
use reqwest::{Method, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use url::Url;

use super::{Fal, MAX_ANSWER_BYTES, MEDIA_LIFETIME, TIMEOUT, refusal};
use crate::{
    Certainty, MediaKind, Picture, ProviderError, Retry,
    fetch::check_target,
    http_client::{Answer, Purpose, exchange},
    settings::join,
};

const PUT_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Announced {
    upload_url: Url,
    file_url: Url,
}

impl Fal {
    /// Stores a picture for a day and returns its address. Nothing is paid.
    pub(super) async fn upload(&self, picture: &Picture, name: &str) -> Result<Url, ProviderError> {
        let ending = MediaKind::sniff(&picture.bytes).map_or("bin", MediaKind::extension);
        let mut url = join(&self.settings().rest_url, "storage/upload/initiate");
        url.query_pairs_mut().append_pair("storage_type", "fal-cdn-v3");
        let announcing = self
            .signed(Method::POST, url)?
            .header("X-Fal-Object-Lifecycle", MEDIA_LIFETIME)
            .json(&json!({"content_type": picture.content_type, "file_name": format!("{name}.{ending}")}));
        let answer = exchange(announcing, Purpose::Prepares, TIMEOUT, MAX_ANSWER_BYTES).await?;
        if !answer.status.is_success() {
            return Err(refusal::refused(&answer, Purpose::Prepares));
        }
        let garbage =
            |detail: String| ProviderError::new(FailureCode::ProviderGarbage, Certainty::NotSent, Retry::LATER, detail);
        let announced: Announced = serde_json::from_slice(&answer.body)
            .map_err(|error| garbage(format!("not an answer of the storage ({error}): {}", answer.text())))?;
        check_target(&announced.upload_url, self.settings().allow_loopback)
            .map_err(|reason| garbage(format!("the storage named an address we do not use: {reason}")))?;
        let putting = self
            .0
            .uploads
            .put(announced.upload_url)
            .header(CONTENT_TYPE, &picture.content_type)
            .body(picture.bytes.clone());
        let put = exchange(putting, Purpose::Prepares, PUT_TIMEOUT, MAX_ANSWER_BYTES).await?;
        if put.status.is_success() { Ok(announced.file_url) } else { Err(not_stored(&put)) }
    }
}

/// The file host is not the account: whatever it says, the key is not at fault.
fn not_stored(answer: &Answer) -> ProviderError {
    let (code, retry) = match answer.status.as_u16() {
        413 => (FailureCode::PhotoTooLarge, Retry::Never),
        _ => (FailureCode::ProviderUnavailable, Retry::LATER),
    };
    ProviderError::new(code, Certainty::NotSent, retry, format!("the picture was not stored: {}", answer.text()))
}
