//! What is said instead of an answer: problem documents (RFC 9457) with our code, the fields that are wrong, and a
//! sentence in the language of the reader.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Locale, Scope, options::InvalidOption};
use engine::Conflict;
use serde::Serialize;
use utoipa::ToSchema;

pub use super::code::Code;
use super::{
    conflict::{self, Reason},
    sentences,
};

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// It has to be there.
    Missing,
    /// There is no such field.
    Unknown,
    /// It is of another JSON type.
    WrongType,
    /// Its value is not taken.
    InvalidValue,
    /// There is nothing with this id.
    NotFound,
    /// Another product has it.
    Taken,
}

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Its place, like `settings.duration`.
    pub field: String,
    /// What is wrong with it.
    pub code: FieldCode,
    /// What it takes, like `3..=5`; empty where nothing is taken.
    pub expected: String,
}

impl FieldError {
    /// A field that is wrong.
    pub fn new(field: impl Into<String>, code: FieldCode, expected: impl Into<String>) -> Self {
        Self { field: field.into(), code, expected: expected.into() }
    }
}

/// A problem that is about to be told.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    fields: Vec<FieldError>,
    reason: Option<Conflict>,
    retry_after_secs: Option<u64>,
    scope: Option<Scope>,
}

impl Problem {
    /// A problem with nothing to add.
    pub const fn new(code: Code) -> Self {
        Self { code, fields: Vec::new(), reason: None, retry_after_secs: None, scope: None }
    }

    /// Wrong fields.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(Code::Invalid) }
    }

    /// One wrong field.
    pub fn field(field: &str, code: FieldCode, expected: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, code, expected)])
    }

    /// Something the token may not do.
    pub fn scope_missing(scope: Scope) -> Self {
        Self { scope: Some(scope), ..Self::new(Code::ScopeMissing) }
    }

    /// Something that cannot be done in the present state.
    fn conflict(why: Conflict) -> Self {
        tracing::info!(conflict = %why, "refused in the present state: {why}");
        let fields = conflict::field(why).into_iter().collect();
        // Whoever asked for the same at the same moment may ask again.
        let retry_after_secs = (why == Conflict::Busy).then_some(1);
        Self { fields, reason: Some(why), retry_after_secs, ..Self::new(Code::Conflict) }
    }

    /// The same where what was not found is named by a field of the body.
    pub fn of_field(mut self, name: &str) -> Self {
        if self.code == Code::NotFound {
            self.fields.push(FieldError::new(name, FieldCode::NotFound, "an id that exists"));
        }
        self
    }

    /// The same, with how long to wait.
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after_secs: Some(seconds), ..self }
    }

    /// Which problem it is.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What a use-case said, with names of fields as the API has them.
    pub fn of(error: engine::Error, name: fn(&str) -> String) -> Self {
        use engine::Error as E;
        match error {
            E::NotFound(_) => Self::new(Code::NotFound),
            E::Forbidden | E::WrongCredentials => Self::new(Code::TokenInvalid),
            E::TooManyTries { retry_after_secs } => Self::new(Code::TooManyRequests).after(u64::from(retry_after_secs)),
            E::Conflict(why) => Self::conflict(why),
            E::KeyReused => Self::new(Code::IdempotencyKeyReused),
            E::Invalid(wrong) => Self::invalid(wrong.into_iter().map(|one| field_error(one, name)).collect()),
            E::LimitReached(limits) => {
                let wait = (limits.resets_at - chrono::Utc::now()).num_seconds();
                Self::new(Code::LimitReached).after(u64::try_from(wait).unwrap_or(0).max(1))
            }
            E::NoPrice(model) => {
                tracing::error!(model, "no price is known for {model}: the call was refused");
                Self::new(Code::NoPrice)
            }
            E::PriceChanged(_) => Self::new(Code::PriceChanged),
            E::Unavailable { part, source } => {
                tracing::error!(part, error = ?source, "{part} is not available: {source}");
                Self::new(Code::Unavailable).after(5)
            }
            E::Internal(source) => {
                tracing::error!(error = ?source, "internal fault: {source}");
                Self::new(Code::Internal)
            }
        }
    }

    /// The whole answer, in the language these headers ask for.
    pub fn respond(&self, headers: &HeaderMap) -> Response {
        let document = self.document(locale_of(headers));
        let mut response = (self.code.status(), Json(document)).into_response();
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer.insert(header::VARY, HeaderValue::from_static("accept-language"));
        if let Some(seconds) = self.retry_after_secs {
            answer.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::from_str(&text).ok()) {
            answer.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// RFC 6750, 3.
    fn challenge(&self) -> Option<String> {
        let realm = "Bearer realm=\"lookreel\"";
        match self.code {
            Code::TokenMissing => Some(realm.to_owned()),
            Code::TokenInvalid | Code::TokenExpired => Some(format!("{realm}, error=\"invalid_token\"")),
            Code::ScopeMissing => {
                let scope = self.scope.map(Scope::as_str).unwrap_or_default();
                Some(format!("{realm}, error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            _ => None,
        }
    }

    fn document(&self, locale: Locale) -> ProblemDocument {
        let errors: Vec<FieldProblem> = self
            .fields
            .iter()
            .map(|one| FieldProblem {
                field: one.field.clone(),
                code: one.code,
                expected: Some(one.expected.clone()).filter(|text| !text.is_empty()),
                detail: sentences::field(one, locale),
            })
            .collect();
        ProblemDocument {
            kind: format!("/api/docs#{}", self.code.as_str()),
            title: sentences::title(self.code, locale).to_owned(),
            status: self.code.status().as_u16(),
            detail: match self.reason {
                Some(why) => conflict::sentence(why, locale).to_owned(),
                None => sentences::detail(self.code, self.scope, locale),
            },
            code: self.code,
            reason: self.reason.map(Reason),
            errors,
        }
    }
}

fn field_error(wrong: InvalidOption, name: fn(&str) -> String) -> FieldError {
    FieldError::new(name(&wrong.field), FieldCode::InvalidValue, wrong.expected)
}

/// Carries the problem to [`render`], which knows the language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problems of the routes it stands around.
pub async fn render(request: Request, next: Next) -> Response {
    let headers = language_headers(request.headers());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let mut told = problem.respond(&headers);
    for (name, value) in response.headers() {
        // What layers said of the answer stays; what it is, is said anew.
        if !told.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            told.headers_mut().append(name, value.clone());
        }
    }
    told
}

/// The answer to a request that no route took.
pub fn refuse(request: &Parts, code: Code) -> Response {
    Problem::new(code).respond(&request.headers)
}

fn language_headers(headers: &HeaderMap) -> HeaderMap {
    let asked = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    asked.map(|value| (header::ACCEPT_LANGUAGE, value.clone())).collect()
}

/// The language a reader wants most (RFC 9110, 12.5.4); English when none of ours is named.
pub fn locale_of(headers: &HeaderMap) -> Locale {
    let asked = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut best = (Locale::En, 0_u16);
    for range in asked.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let locale = match tag.split('-').next() {
            Some("ko") => Locale::Ko,
            Some("en") => Locale::En,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, |text| {
            let share: f32 = text.parse().unwrap_or(0.0);
            if (0.0..=1.0).contains(&share) { (share * 1_000.0) as u16 } else { 0 }
        });
        if weight > best.1 {
            best = (locale, weight);
        }
    }
    best.0
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/api/docs#invalid")]
    kind: String,
    /// What the code means, in the language asked for.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened and what to do, in the language asked for.
    detail: String,
    /// The code: programs decide by it.
    code: Code,
    /// What stands in the way, where the code is `conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<Reason>,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's place, like `settings.duration`.
    #[schema(example = "settings.duration")]
    field: String,
    /// What is wrong with it.
    code: FieldCode,
    /// What it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "3..=5")]
    expected: Option<String>,
    /// The same as a sentence, in the language asked for.
    detail: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn locale(asked: &str) -> Locale {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
        locale_of(&headers)
    }

    #[test]
    fn the_language_is_the_one_wanted_most() {
        for (asked, is_korean) in [
            ("ko", true),
            ("ko-KR,ko;q=0.9,en;q=0.8", true),
            ("en-GB,ko;q=0.9", false),
            ("fr;q=1, ko;q=0.2, en;q=0.1", true),
            ("fr", false),
            ("ko;q=0", false),
            ("*", false),
        ] {
            assert_eq!(locale(asked) == Locale::Ko, is_korean, "{asked}");
        }
        assert_eq!(locale_of(&HeaderMap::new()), Locale::En);
    }
}
