//! The codes of problems: stable words that programs decide by.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done. The word is stable: programs may decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is no such thing, or no such address.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// The request names no token.
    TokenMissing,
    /// The token is not known, or was revoked.
    TokenInvalid,
    /// The token has ended.
    TokenExpired,
    /// A signature is missing or wrong.
    SignatureInvalid,
    /// The token may not do this.
    ScopeMissing,
    /// A page of another site asked in the name of a person.
    CrossOrigin,
    /// The body cannot be read.
    Malformed,
    /// Fields are missing, unknown, of another type or out of range.
    Invalid,
    /// The body is of another type than is taken.
    UnsupportedMediaType,
    /// The body is larger than is taken.
    TooLarge,
    /// The request needs an `Idempotency-Key`.
    IdempotencyKeyMissing,
    /// The `Idempotency-Key` is none.
    IdempotencyKeyInvalid,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused,
    /// The first request with this `Idempotency-Key` is still at work.
    RequestInProgress,
    /// It cannot be done in the present state.
    Conflict,
    /// It costs more than was agreed to.
    PriceChanged,
    /// A limit of the day is reached.
    LimitReached,
    /// Too many requests in a minute.
    TooManyRequests,
    /// Too many streams of events are open.
    TooManyStreams,
    /// Too many files of this caller are being taken.
    TooManyUploads,
    /// No model can be bought from now.
    NoPrice,
    /// A part of ours is away.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code, in the order of the reference.
    pub const ALL: [Self; 25] = [
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::SignatureInvalid,
        Self::ScopeMissing,
        Self::CrossOrigin,
        Self::Malformed,
        Self::Invalid,
        Self::UnsupportedMediaType,
        Self::TooLarge,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::IdempotencyKeyReused,
        Self::RequestInProgress,
        Self::Conflict,
        Self::PriceChanged,
        Self::LimitReached,
        Self::TooManyRequests,
        Self::TooManyStreams,
        Self::TooManyUploads,
        Self::NoPrice,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::SignatureInvalid => "signature_invalid",
            Self::ScopeMissing => "scope_missing",
            Self::CrossOrigin => "cross_origin",
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::IdempotencyKeyMissing => "idempotency_key_missing",
            Self::IdempotencyKeyInvalid => "idempotency_key_invalid",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::RequestInProgress => "request_in_progress",
            Self::Conflict => "conflict",
            Self::PriceChanged => "price_changed",
            Self::LimitReached => "limit_reached",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyStreams => "too_many_streams",
            Self::TooManyUploads => "too_many_uploads",
            Self::NoPrice => "no_price",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The status that says the same.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired | Self::SignatureInvalid => {
                StatusCode::UNAUTHORIZED
            }
            Self::ScopeMissing | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::Malformed | Self::IdempotencyKeyMissing | Self::IdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::IdempotencyKeyReused | Self::RequestInProgress | Self::Conflict | Self::PriceChanged => {
                StatusCode::CONFLICT
            }
            Self::LimitReached | Self::TooManyRequests | Self::TooManyStreams | Self::TooManyUploads => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NoPrice | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_code_has_its_word_and_a_status_of_an_error() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
