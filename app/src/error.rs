//! What a page can be told instead of a result: a code with a little data. The sentences are in the locales.

use chrono::{DateTime, Utc};
use domain::{MicroUsd, options::InvalidOption};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// Why a page did not get what it asked for. Small: for forms without WASM it travels in the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub enum AppError {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The person may not do this.
    #[error("not allowed")]
    Forbidden,
    /// Nobody is signed in any more.
    #[error("signed out")]
    SignedOut,
    /// Address or password is wrong.
    #[error("wrong address or password")]
    WrongCredentials,
    /// Too many tries.
    #[error("too many tries")]
    TooManyTries {
        /// Seconds until the next try.
        retry_after_secs: u32,
    },
    /// Not in the present state.
    #[error("conflict")]
    Conflict,
    /// The product has no photo to make stills from.
    #[error("no photo")]
    NoPhoto,
    /// Choices out of range.
    #[error("invalid input")]
    Invalid {
        /// Each wrong field.
        fields: Vec<InvalidOption>,
    },
    /// A limit of the day would be passed.
    #[error("limit reached")]
    LimitReached {
        /// Money held and paid today.
        spend: MicroUsd,
        /// How much is allowed.
        spend_limit: MicroUsd,
        /// When the limits begin anew.
        #[serde(with = "chrono::serde::ts_microseconds")]
        resets_at: DateTime<Utc>,
    },
    /// No price is known, so nothing was asked for.
    #[error("no price is known")]
    NoPrice,
    /// It costs more than was shown, so nothing was asked for.
    #[error("the price has changed")]
    PriceChanged {
        /// What it costs now.
        price: MicroUsd,
    },
    /// A part of ours is away for a moment.
    #[error("not available")]
    Unavailable,
    /// The server could not be reached from the browser.
    #[error("server not reached")]
    Unreachable,
    /// The request was malformed.
    #[error("malformed request")]
    BadRequest,
    /// More was sent than is ever read.
    #[error("too large a request")]
    TooLarge,
    /// A fault of ours.
    #[error("internal fault")]
    Internal,
}

impl FromServerFnError for AppError {
    type Encoder = crate::wire::Lean;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => refused(Self::BadRequest),
            // An older page and a newer server do not understand each other: a reload helps.
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(not(feature = "ssr"))]
fn refused(error: AppError) -> AppError {
    error
}

#[cfg(feature = "ssr")]
pub(crate) use conversion::refused;

#[cfg(feature = "ssr")]
mod conversion {
    use http::StatusCode;
    use leptos::prelude::use_context;

    use super::AppError;

    impl AppError {
        /// The status that says the same to a machine.
        pub const fn status(&self) -> StatusCode {
            match self {
                Self::NotFound => StatusCode::NOT_FOUND,
                Self::Forbidden => StatusCode::FORBIDDEN,
                Self::SignedOut | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
                Self::TooManyTries { .. } | Self::LimitReached { .. } => StatusCode::TOO_MANY_REQUESTS,
                Self::Conflict | Self::NoPhoto | Self::PriceChanged { .. } => StatusCode::CONFLICT,
                Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                Self::BadRequest => StatusCode::BAD_REQUEST,
                Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Self::NoPrice | Self::Unavailable | Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
                Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            }
        }
    }

    /// Sets the status of the answer, except for forms of pages without WASM: there the answer is a redirect back to
    /// the page, and a status would strand the person on an empty document.
    pub(crate) fn refused(error: AppError) -> AppError {
        if !crate::api::back::is_plain_form()
            && let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        {
            response.set_status(error.status());
        }
        error
    }

    impl From<engine::Error> for AppError {
        fn from(error: engine::Error) -> Self {
            refused(Self::of(&error))
        }
    }

    impl AppError {
        /// The one place where causes are written down; pages get the code only. Leaves the status of the answer alone:
        /// for a part of a page that is missing while the page is there.
        pub(crate) fn of(error: &engine::Error) -> Self {
            use engine::Error as E;

            match error {
                E::NotFound(_) => Self::NotFound,
                E::Forbidden => Self::Forbidden,
                E::WrongCredentials => Self::WrongCredentials,
                E::TooManyTries { retry_after_secs } => Self::TooManyTries { retry_after_secs: *retry_after_secs },
                E::Conflict(why) => {
                    tracing::info!(conflict = %why, "refused in the present state: {why}");
                    if *why == engine::Conflict::NoPhoto { Self::NoPhoto } else { Self::Conflict }
                }
                E::KeyReused => Self::Conflict,
                E::Invalid(fields) => Self::Invalid { fields: fields.clone() },
                E::LimitReached(limits) => Self::LimitReached {
                    spend: limits.spend,
                    spend_limit: limits.spend_limit,
                    resets_at: limits.resets_at,
                },
                E::NoPrice(model) => {
                    tracing::error!(model = %model, "no price is known for {model}: the call was refused");
                    Self::NoPrice
                }
                E::PriceChanged(price) => Self::PriceChanged { price: *price },
                E::Unavailable { part, source } => {
                    tracing::error!(part = %part, error = ?source, "{part} is not available: {source}");
                    Self::Unavailable
                }
                E::Internal(source) => {
                    tracing::error!(error = ?source, "internal fault: {source}");
                    Self::Internal
                }
            }
        }
    }

    impl From<tower_sessions::session::Error> for AppError {
        fn from(error: tower_sessions::session::Error) -> Self {
            tracing::error!(error = ?error, "the session store failed: {error}");
            refused(Self::Unavailable)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_survive_the_way_through_the_address() {
        for error in [
            AppError::TooManyTries { retry_after_secs: 30 },
            AppError::Invalid { fields: vec![InvalidOption { field: "fps".into(), expected: "24..=30".into() }] },
            AppError::LimitReached {
                spend: MicroUsd::new(1),
                spend_limit: MicroUsd::new(2),
                resets_at: DateTime::UNIX_EPOCH,
            },
            AppError::Internal,
        ] {
            assert_eq!(AppError::de(error.ser()), error);
        }
    }

    #[test]
    fn an_answer_we_do_not_understand_is_no_fault_of_the_person() {
        assert_eq!(AppError::de("<html>".into()), AppError::BadRequest);
    }
}
