//! What a use-case can answer instead of a result. Mapped once at the edge: to sentences for pages, to problem
//! documents for REST.

use domain::{MicroUsd, cost::LimitStatus, options::InvalidOption};

use crate::conflict::Conflict;

/// Why a use-case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is not for this person.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The person may not do this.
    #[error("not allowed")]
    Forbidden,
    /// The address or the password is wrong; which of them is not said.
    #[error("wrong address or password")]
    WrongCredentials,
    /// Too many tries; the next is allowed after so many seconds.
    #[error("too many tries, again in {retry_after_secs} s")]
    TooManyTries {
        /// Seconds until the next try.
        retry_after_secs: u32,
    },
    /// It cannot be done in the present state.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// The key of the request was used for another request.
    #[error("the key was used for something else")]
    KeyReused,
    /// Choices out of range.
    #[error("invalid input")]
    Invalid(Vec<InvalidOption>),
    /// A limit of the day would be passed.
    #[error("the limit of the day is reached")]
    LimitReached(Box<LimitStatus>),
    /// No price is known for a call of the recipe, so it cannot be made.
    #[error("no price is known for {0}")]
    NoPrice(String),
    /// It costs more than the person was shown: this much now.
    #[error("the price has changed to {0}")]
    PriceChanged(MicroUsd),
    /// A part this needs is away; trying again later helps.
    #[error("{part} is not available")]
    Unavailable {
        /// Which part, as operators call it.
        part: &'static str,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A fault of ours.
    #[error("internal fault")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps a fault of ours.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The same once more, for whoever asked the same at the same moment.
    pub(crate) fn again(&self) -> Self {
        match *self {
            Self::NotFound(what) => Self::NotFound(what),
            Self::Forbidden => Self::Forbidden,
            Self::WrongCredentials => Self::WrongCredentials,
            Self::TooManyTries { retry_after_secs } => Self::TooManyTries { retry_after_secs },
            Self::Conflict(why) => Self::Conflict(why),
            Self::KeyReused => Self::KeyReused,
            Self::Invalid(ref wrong) => Self::Invalid(wrong.clone()),
            Self::LimitReached(ref limits) => Self::LimitReached(limits.clone()),
            Self::NoPrice(ref model) => Self::NoPrice(model.clone()),
            Self::PriceChanged(price) => Self::PriceChanged(price),
            Self::Unavailable { part, ref source } => Self::Unavailable { part, source: source.to_string().into() },
            Self::Internal(ref source) => Self::Internal(source.to_string().into()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        jobs::Error::Database(error).into()
    }
}

impl From<jobs::Error> for Error {
    fn from(error: jobs::Error) -> Self {
        let is_away = error.is_retryable();
        match error {
            jobs::Error::Database(source) if is_away => Self::Unavailable { part: "postgres", source: source.into() },
            jobs::Error::Database(source) => Self::Internal(source.into()),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        if error.is_retryable() {
            Self::Unavailable { part: "object store", source: error.into() }
        } else {
            Self::Internal(error.into())
        }
    }
}
