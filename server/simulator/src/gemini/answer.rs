use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::question::count_tokens;
use super::{Model, Question};
use crate::http::json_answer;
use crate::price::Tokens;

const IMAGE_TOKENS: i64 = 1120;
const WORDS: &str = "Here is the wearing photo.";
const NO_PICTURE: &str = "Please send a photo of the product so that I can show it worn.";

/// What the model says to a question: a picture, words only, or a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Picture,
    WordsOnly,
    Unsafe,
}

impl Reply {
    /// Every token of the call. A refused one counts its input only.
    pub(crate) fn tokens(self, model: &Model, question: &Question) -> Tokens {
        let images = i64::try_from(question.images.len()).unwrap_or(i64::MAX);
        let asked = Tokens {
            prompt_text: question.text_tokens(),
            prompt_image: images.saturating_mul(IMAGE_TOKENS),
            ..Tokens::default()
        };
        let thought = match question.thinking_level.as_deref() {
            Some("minimal" | "low") => 0,
            Some("high") => 384,
            _ => 128,
        };
        match self {
            Self::Picture => Tokens {
                thought,
                output_text: count_tokens(WORDS),
                output_image: model.image_tokens(&question.image_size),
                ..asked
            },
            Self::WordsOnly => Tokens { thought, output_text: count_tokens(NO_PICTURE), ..asked },
            Self::Unsafe => asked,
        }
    }

    /// The whole answer, `usageMetadata` included.
    pub(crate) fn to_json(self, model: &Model, id: Uuid, tokens: Tokens, picture: Option<Bytes>) -> Value {
        let candidate = match self {
            Self::Picture => json!({
                "content": {"role": "model", "parts": [
                    {"text": WORDS},
                    {"inlineData": {"mimeType": "image/jpeg", "data": STANDARD.encode(picture.unwrap_or_default())}},
                ]},
                "finishReason": "STOP", "index": 0,
            }),
            Self::WordsOnly => json!({
                "content": {"role": "model", "parts": [{"text": NO_PICTURE}]},
                "finishReason": "STOP", "index": 0,
            }),
            Self::Unsafe => json!({
                "finishReason": "IMAGE_SAFETY", "index": 0,
                "finishMessage": "Unable to show the generated image. The image was filtered out because it violated the safety policy. Support code: 15236754",
            }),
        };
        json!({
            "candidates": [candidate],
            "usageMetadata": usage(tokens),
            "modelVersion": model.id,
            "responseId": id.simple().to_string(),
        })
    }
}

fn usage(tokens: Tokens) -> Value {
    let prompt = tokens.prompt_text + tokens.prompt_image;
    let output = tokens.output_text + tokens.output_image;
    let mut usage = json!({
        "promptTokenCount": prompt,
        "totalTokenCount": prompt + output + tokens.thought,
        "promptTokensDetails": details(tokens.prompt_text, tokens.prompt_image),
    });
    if output > 0 {
        usage["candidatesTokenCount"] = json!(output);
        usage["candidatesTokensDetails"] = details(tokens.output_text, tokens.output_image);
    }
    if tokens.thought > 0 {
        usage["thoughtsTokenCount"] = json!(tokens.thought);
    }
    usage
}

fn details(text: i64, image: i64) -> Value {
    let both = [("TEXT", text), ("IMAGE", image)];
    both.into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(modality, count)| json!({"modality": modality, "tokenCount": count}))
        .collect()
}

/// Google's error envelope.
pub(crate) fn google_error(code: u16, status: &str, message: &str) -> Response {
    json_answer(code, json!({"error": {"code": code, "message": message, "status": status}}))
}

/// A bad key is a 400 with Google, not a 401.
pub(crate) fn key_error() -> Response {
    json_answer(
        400,
        json!({"error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }],
        }}),
    )
}

/// An error answer with any code.
pub(crate) fn refuse_as_google(code: u16) -> Response {
    match code {
        429 => json_answer(
            429,
            json!({"error": {
                "code": 429,
                "message": "You exceeded your current quota.",
                "status": "RESOURCE_EXHAUSTED",
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
                    }],
                }],
            }}),
        ),
        403 => google_error(403, "PERMISSION_DENIED", "The caller does not have permission"),
        404 => google_error(404, "NOT_FOUND", "Not found"),
        503 => google_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        504 => google_error(504, "DEADLINE_EXCEEDED", "Deadline expired before completion"),
        400..=499 => google_error(code, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        _ => google_error(code, "INTERNAL", "An internal error has occurred."),
    }
}
