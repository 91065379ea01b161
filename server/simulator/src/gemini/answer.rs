use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::question::count_tokens;
use super::{Model, Question};
use crate::desk::Block;
use crate::draw::Drawn;
use crate::http::{Refusal, json_answer};
use crate::price::Tokens;

const IMAGE_TOKENS: i64 = 1120;
const WORDS: &str = "Here is the wearing photo.";
const NO_PICTURE: &str = "Please send a photo of the product so that I can show it worn.";
const REFUSAL: &str = "I cannot make this picture. Try describing it in another way.";

/// What the model says to a question: a picture, words only, or a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Picture,
    WordsOnly(&'static str),
    /// Blocked in one of the three forms, for another reason than the usual.
    Blocked(Block, Option<String>),
}

impl Reply {
    /// What a question gets when nothing is wrong.
    pub(crate) fn to(question: &Question) -> Self {
        if question.images.is_empty() { Self::WordsOnly(NO_PICTURE) } else { Self::Picture }
    }

    /// A refusal in this form.
    pub(crate) fn blocked(block: Block, reason: Option<String>) -> Self {
        match block {
            Block::TextOnly => Self::WordsOnly(REFUSAL),
            block => Self::Blocked(block, reason),
        }
    }

    /// Every token of the call. A blocked one counts its input only.
    pub(crate) fn tokens(&self, model: &Model, question: &Question) -> Tokens {
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
            Self::WordsOnly(words) => Tokens { thought, output_text: count_tokens(words), ..asked },
            Self::Blocked(..) => asked,
        }
    }

    /// The whole answer, `usageMetadata` included.
    pub(crate) fn to_json(&self, model: &Model, id: Uuid, tokens: Tokens, picture: Option<&Drawn>) -> Value {
        let mut answer = json!({
            "usageMetadata": usage(tokens),
            "modelVersion": model.id,
            "responseId": id.simple().to_string(),
        });
        match self {
            Self::Picture => {
                let mime_type = picture.map_or("image/jpeg", Drawn::content_type);
                let data = picture.map(|drawn| STANDARD.encode(&drawn.bytes)).unwrap_or_default();
                let picture = json!({"inlineData": {"mimeType": mime_type, "data": data}});
                answer["candidates"] = json!([spoken(json!([{"text": WORDS}, picture]))]);
            }
            Self::WordsOnly(words) => answer["candidates"] = json!([spoken(json!([{"text": words}]))]),
            Self::Blocked(Block::PromptFeedback, reason) => {
                answer["promptFeedback"] = json!({"blockReason": reason.as_deref().unwrap_or("PROHIBITED_CONTENT")});
            }
            Self::Blocked(_, reason) => {
                answer["candidates"] = json!([{
                    "finishReason": reason.as_deref().unwrap_or("IMAGE_SAFETY"), "index": 0,
                    "finishMessage": "Unable to show the generated image. The image was filtered out because it violated the safety policy. Support code: 15236754",
                }]);
            }
        }
        answer
    }
}

fn spoken(parts: Value) -> Value {
    json!({"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0})
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
fn key_error() -> Response {
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
pub(crate) fn refuse_as_google(refusal: Refusal) -> Response {
    let code = match refusal {
        Refusal::BadKey => return key_error(),
        Refusal::Status(code) => code,
    };
    match code {
        429 => json_answer(
            429,
            json!({"error": {
                "code": 429,
                "message": "You exceeded your current quota, please check your plan and billing details.",
                "status": "RESOURCE_EXHAUSTED",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                        "violations": [{
                            "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
                            "quotaDimensions": {"location": "global", "model": "gemini-nano-banana-2.1"},
                        }],
                    },
                    {
                        "@type": "type.googleapis.com/google.rpc.Help",
                        "links": [{
                            "description": "Learn more about Gemini API quotas",
                            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                        }],
                    },
                ],
            }}),
        ),
        401 => google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        403 => google_error(403, "PERMISSION_DENIED", "The caller does not have permission"),
        404 => google_error(404, "NOT_FOUND", "Not found"),
        503 => google_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        504 => google_error(504, "DEADLINE_EXCEEDED", "Deadline expired before completion"),
        400..=499 => google_error(code, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        _ => google_error(code, "INTERNAL", "An internal error has occurred."),
    }
}
