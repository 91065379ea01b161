//! The HTTP client every provider is spoken to with, and what its failures mean.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::FailureCode;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{Certainty, ProviderError, Retry};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How we name ourselves.
pub(crate) const USER_AGENT: &str = concat!("lookreel/", env!("CARGO_PKG_VERSION"));

/// The client for providers' APIs: rustls, no cookies, no proxy from the environment, no redirect is followed (a
/// redirect would carry the key elsewhere), connect timeout 10 s. Each request sets its own total timeout.
///
/// # Errors
/// [`ProviderError`] when TLS cannot be set up on this machine.
pub fn http_client() -> Result<Client, ProviderError> {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| {
            let detail = format!("no HTTP client: {}", chain(&error));
            ProviderError::new(FailureCode::Internal, Certainty::NotSent, Retry::Never, detail)
        })
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The wait the provider asks for in `Retry-After`: seconds or a date.
    pub(crate) fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        retry_after_of(&self.headers, now)
    }

    /// The body as text for an error's detail.
    pub(crate) fn text(&self) -> String {
        let start = self.body.get(..2000).unwrap_or(&self.body);
        format!("HTTP {}: {}", self.status.as_u16(), String::from_utf8_lossy(start))
    }
}

/// The wait that `Retry-After` asks for, seconds or a date; at most an hour.
pub(crate) fn retry_after_of(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Cuts a wait the provider asks for to one hour.
pub(crate) fn bounded_wait(wait: Duration) -> Duration {
    wait.min(LONGEST_WAIT)
}

/// What a failed exchange means for the paid call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The request itself costs money when it arrives.
    Pays,
    /// A free step before the paid request: nothing has been started.
    Prepares,
    /// A question about a call that was accepted before.
    Asks,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Pays => "provider: paid request",
            Self::Prepares => "provider: preparation",
            Self::Asks => "provider: question",
        }
    }

    const fn when_not_sent(self) -> Certainty {
        match self {
            Self::Pays | Self::Prepares => Certainty::NotSent,
            Self::Asks => Certainty::Unchanged,
        }
    }

    pub(crate) const fn when_lost(self) -> Certainty {
        match self {
            Self::Pays => Certainty::Unknown,
            Self::Prepares => Certainty::NotSent,
            Self::Asks => Certainty::Unchanged,
        }
    }

    pub(crate) const fn when_refused(self) -> Certainty {
        match self {
            Self::Pays | Self::Prepares => Certainty::Refused,
            Self::Asks => Certainty::Unchanged,
        }
    }
}

/// Sends a request and reads its whole answer, at most `max_bytes` long and `timeout` old.
pub(crate) async fn exchange(
    request: RequestBuilder,
    purpose: Purpose,
    timeout: Duration,
    max_bytes: usize,
) -> Result<Answer, ProviderError> {
    let span = tracing::info_span!(
        "exchange",
        otel.name = purpose.name(),
        otel.kind = "client",
        server.address = Empty,
        http.response.status_code = Empty
    );
    let exchanged = async {
        let response = request.timeout(timeout).send().await.map_err(|error| lost(&error, purpose))?;
        let span = Span::current();
        span.record("server.address", response.url().host_str());
        span.record("http.response.status_code", response.status().as_u16());
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_capped(response, purpose, max_bytes).await?;
        Ok(Answer { status, headers, body })
    };
    exchanged.instrument(span).await
}

async fn read_capped(response: Response, purpose: Purpose, max_bytes: usize) -> Result<Bytes, ProviderError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| lost(&error, purpose))?;
        if body.len() + chunk.len() > max_bytes {
            let detail = format!("the answer is longer than {max_bytes} bytes");
            return Err(ProviderError::new(FailureCode::ProviderGarbage, purpose.when_lost(), Retry::LATER, detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

/// An exchange that broke: before anything left this machine, or after.
pub(crate) fn lost(error: &reqwest::Error, purpose: Purpose) -> ProviderError {
    let (code, certainty) = if error.is_builder() {
        (FailureCode::Internal, purpose.when_not_sent())
    } else if error.is_connect() {
        (FailureCode::ProviderUnreachable, purpose.when_not_sent())
    } else if error.is_timeout() {
        (FailureCode::ProviderTimeout, purpose.when_lost())
    } else {
        (FailureCode::ProviderUnreachable, purpose.when_lost())
    };
    let retry = if error.is_builder() { Retry::Never } else { Retry::LATER };
    ProviderError::new(code, certainty, retry, chain(error))
}

/// An error with its causes in one line; reqwest's own text stops at "error sending request". Addresses are left out:
/// upload addresses carry a signature.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "timed out".to_owned() } else { "connection failed".to_owned() };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::*;

    fn asking(wait: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(wait).unwrap());
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Bytes::new() }
    }

    #[test]
    fn waits_are_seconds_or_dates_and_never_longer_than_an_hour() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        assert_eq!(asking("7").retry_after(now), Some(Duration::from_secs(7)));
        assert_eq!(asking("86400").retry_after(now), Some(LONGEST_WAIT));
        assert_eq!(asking("soon").retry_after(now), None);
        let date = (now + chrono::Duration::seconds(90)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert_eq!(asking(&date).retry_after(now), Some(Duration::from_secs(90)));
        let past = (now - chrono::Duration::seconds(90)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert_eq!(asking(&past).retry_after(now), Some(Duration::ZERO));
    }
}
