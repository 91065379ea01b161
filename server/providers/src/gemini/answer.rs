//! Reading an HTTP 200 of `generateContent`: a picture, or one of the refusals Gemini sends as success.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::FailureCode;
use serde::Deserialize;
use serde_json::Value;

use crate::{Certainty, MediaKind, ProviderError, Retry, http_client::Answer};

const MAX_PICTURE_BYTES: usize = 20_000_000;

/// An answer with its count; the count stands also where there is no picture.
pub(super) struct Read {
    pub(super) picture: Result<Picture, Missing>,
    pub(super) usage: Value,
    pub(super) response_id: Option<String>,
}

/// The picture.
pub(super) struct Picture {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: MediaKind,
}

/// Why there is none.
pub(super) struct Missing {
    pub(super) code: FailureCode,
    pub(super) retry: Retry,
    pub(super) detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    #[serde(default)]
    usage_metadata: Value,
    response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
    finish_message: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    inline_data: Option<InlineData>,
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
struct InlineData {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
    block_reason_message: Option<String>,
}

/// Reads the body.
///
/// # Errors
/// Garbage with [`Certainty::Unknown`]: something was accepted, nobody knows what.
pub(super) fn read(answer: &Answer) -> Result<Read, ProviderError> {
    let body: Body = serde_json::from_slice(&answer.body).map_err(|error| {
        let detail = format!("not an answer of generateContent ({error}): {}", answer.text());
        ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unknown, Retry::LATER, detail)
    })?;
    if body.candidates.is_empty() && body.prompt_feedback.is_none() && body.usage_metadata.is_null() {
        let detail = format!("an answer without candidates or a reason: {}", answer.text());
        return Err(ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unknown, Retry::LATER, detail));
    }
    let picture = match last_picture(&body) {
        Some(data) => decode(data),
        None => Err(reason(&body)),
    };
    Ok(Read { picture, usage: body.usage_metadata, response_id: body.response_id })
}

/// The last picture that is not a thought: earlier ones are drafts.
fn last_picture(body: &Body) -> Option<&str> {
    body.candidates
        .iter()
        .filter_map(|candidate| candidate.content.as_ref())
        .flat_map(|content| &content.parts)
        .filter(|part| !part.thought)
        .filter_map(|part| part.inline_data.as_ref())
        .next_back()
        .map(|inline| inline.data.as_str())
}

fn decode(data: &str) -> Result<Picture, Missing> {
    // It cost as much as a picture: whether to pay that once more is for a person to say.
    let garbage =
        |detail: &str| Missing { code: FailureCode::ProviderGarbage, retry: Retry::Never, detail: detail.to_owned() };
    let bytes = BASE64.decode(data).map_err(|_| garbage("the picture is not base64"))?;
    if bytes.len() > MAX_PICTURE_BYTES {
        return Err(garbage("the picture is larger than 20 MB"));
    }
    let kind = MediaKind::sniff(&bytes)
        .filter(|kind| kind.is_picture())
        .ok_or_else(|| garbage("the picture is neither JPEG, PNG nor WebP"))?;
    Ok(Picture { bytes, kind })
}

/// Why an answer without a picture has none: the prompt was blocked, the candidate was, or the model only talked.
fn reason(body: &Body) -> Missing {
    if let Some(blocked) = body.prompt_feedback.as_ref().and_then(|feedback| feedback.block_reason.as_deref()) {
        let message = body.prompt_feedback.as_ref().and_then(|feedback| feedback.block_reason_message.as_deref());
        return Missing {
            code: FailureCode::ContentRefused,
            retry: Retry::Never,
            detail: format!("prompt blocked: {blocked} {}", message.unwrap_or_default()),
        };
    }
    let candidate = body.candidates.first();
    let finish = candidate.and_then(|one| one.finish_reason.as_deref()).unwrap_or("no finishReason");
    let message = candidate.and_then(|one| one.finish_message.as_deref()).unwrap_or_default();
    if is_refusal(finish) {
        return Missing {
            code: FailureCode::ContentRefused,
            retry: Retry::Never,
            detail: format!("{finish} {message}"),
        };
    }
    let words: Vec<&str> = body
        .candidates
        .iter()
        .filter_map(|one| one.content.as_ref())
        .flat_map(|content| &content.parts)
        .filter(|part| !part.thought)
        .filter_map(|part| part.text.as_deref())
        .collect();
    Missing {
        code: FailureCode::NoPicture,
        // The model is not deterministic: the same request often gives a picture the next time.
        retry: Retry::LATER,
        detail: format!("{finish} {message} {}", words.join(" ")),
    }
}

fn is_refusal(finish_reason: &str) -> bool {
    matches!(
        finish_reason,
        "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "SAFETY"
            | "PROHIBITED_CONTENT"
            | "RECITATION"
            | "BLOCKLIST"
            | "SPII"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn read_json(body: &Value) -> Read {
        let body = Bytes::from(body.to_string());
        read(&Answer { status: StatusCode::OK, headers: HeaderMap::new(), body }).unwrap()
    }

    fn png(last: u8) -> String {
        BASE64.encode([b"\x89PNG\r\n\x1a\n".as_slice(), &[last]].concat())
    }

    fn inline(data: &str) -> Value {
        json!({"inlineData": {"mimeType": "image/jpeg", "data": data}})
    }

    #[test]
    fn the_last_picture_that_is_no_thought_counts_and_its_bytes_name_its_type() {
        let mut draft = inline(&png(9));
        draft["thought"] = json!(true);
        let read = read_json(&json!({
            "candidates": [{"content": {"role": "model", "parts": [
                {"text": "Here you are"}, inline(&png(1)), inline(&png(2)), draft
            ]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 1380, "candidatesTokenCount": 1120},
            "modelVersion": "gemini-nano-banana-2.1", "responseId": "r-1"
        }));
        let picture = read.picture.ok().unwrap();
        assert_eq!((picture.kind, picture.bytes.last()), (MediaKind::Png, Some(&2)));
        assert_eq!(read.response_id.as_deref(), Some("r-1"));
    }

    fn missing(body: &Value) -> (FailureCode, Retry, String) {
        let missing = read_json(body).picture.err().unwrap();
        (missing.code, missing.retry, missing.detail)
    }

    #[test]
    fn refusals_that_come_as_success() {
        let (code, retry, detail) = missing(&json!({
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 300, "totalTokenCount": 300}
        }));
        assert_eq!((code, retry), (FailureCode::ContentRefused, Retry::Never));
        assert!(detail.contains("PROHIBITED_CONTENT"));
        for finish in ["IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "RECITATION", "SPII"] {
            let body = json!({"candidates": [{"finishReason": finish, "finishMessage": "Support code: 123"}],
                              "usageMetadata": {"promptTokenCount": 1}});
            let (code, _, detail) = missing(&body);
            assert_eq!(code, FailureCode::ContentRefused, "{finish}");
            assert!(detail.contains("Support code"));
        }
    }

    #[test]
    fn words_alone_are_no_picture() {
        let (code, retry, detail) = missing(&json!({
            "candidates": [{"content": {"parts": [{"text": "I cannot see a garment."}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 1380, "candidatesTokenCount": 8}
        }));
        assert_eq!((code, retry), (FailureCode::NoPicture, Retry::LATER));
        assert!(detail.contains("I cannot see a garment."));
        assert_eq!(missing(&json!({"candidates": [{"finishReason": "NO_IMAGE"}]})).0, FailureCode::NoPicture);
    }

    #[test]
    fn a_picture_of_another_kind_is_garbage() {
        let body = json!({"candidates": [{"content": {"parts": [inline(&BASE64.encode(b"GIF89a......"))]}}]});
        let (code, retry, _) = missing(&body);
        assert_eq!((code, retry), (FailureCode::ProviderGarbage, Retry::Never), "it is paid");
    }

    #[test]
    fn a_page_instead_of_an_answer_leaves_the_call_in_doubt() {
        for body in ["<html>proxy</html>", "", "{}", "[]"] {
            let answer =
                Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) };
            let error = read(&answer).err().unwrap();
            assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::Unknown), "{body}");
        }
    }
}
