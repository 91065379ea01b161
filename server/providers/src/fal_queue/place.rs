//! Where a request lives on the queue's host. Addresses from answers are followed only there: the key goes with them.

use url::Url;

use crate::{Certainty, ProviderError, Retry, Submitted, settings::join};

/// The addresses of a request by its id alone; none when the id is not one.
pub(super) fn of(queue: &Url, endpoint: &str, request_id: &str) -> Option<Submitted> {
    if !is_id(request_id) {
        return None;
    }
    let response_url = join(queue, &format!("{}/requests/{request_id}", app(endpoint)));
    Some(Submitted {
        request_id: request_id.to_owned(),
        status_url: join(&response_url, "status"),
        cancel_url: join(&response_url, "cancel"),
        response_url,
    })
}

/// `given` with every address that does not lie on the queue's host replaced by the one its id gives.
///
/// # Errors
/// [`ProviderError`] when the id is not one.
pub(super) fn checked(given: &Submitted, queue: &Url, endpoint: &str) -> Result<Submitted, ProviderError> {
    let own = of(queue, endpoint, &given.request_id).ok_or_else(|| {
        let detail = "not a request id of fal";
        ProviderError::new(domain::FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::Never, detail)
    })?;
    let keep = |url: &Url, own: Url| if is_on(url, queue) { url.clone() } else { own };
    Ok(Submitted {
        status_url: keep(&given.status_url, own.status_url),
        response_url: keep(&given.response_url, own.response_url),
        cancel_url: keep(&given.cancel_url, own.cancel_url),
        request_id: own.request_id,
    })
}

/// Same scheme, host and port, and nobody named in it.
pub(super) fn is_on(url: &Url, queue: &Url) -> bool {
    url.origin() == queue.origin() && url.username().is_empty() && url.password().is_none()
}

/// Letters, digits, `-` and `_`: safe in a path.
fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The part of an endpoint's id its requests live under: `owner/app`, in two namespaces one segment more.
fn app(endpoint: &str) -> String {
    let segments = if endpoint.starts_with("workflows/") || endpoint.starts_with("comfy/") { 3 } else { 2 };
    endpoint.split('/').take(segments).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";

    fn queue() -> Url {
        Url::parse("https://queue.fal.run").unwrap()
    }

    #[test]
    fn requests_live_under_owner_and_app() {
        let place = of(&queue(), PIKA, "ab-12").unwrap();
        assert_eq!(place.response_url.as_str(), "https://queue.fal.run/fal-ai/pika/requests/ab-12");
        assert_eq!(place.status_url.as_str(), "https://queue.fal.run/fal-ai/pika/requests/ab-12/status");
        assert_eq!(place.cancel_url.as_str(), "https://queue.fal.run/fal-ai/pika/requests/ab-12/cancel");
        assert_eq!(app("workflows/owner/name/deep"), "workflows/owner/name");
        let bent = Url::parse("http://127.0.0.1:9/base/").unwrap();
        let place = of(&bent, PIKA, "x").unwrap();
        assert_eq!(place.response_url.as_str(), "http://127.0.0.1:9/base/fal-ai/pika/requests/x");
    }

    #[test]
    fn an_id_that_could_climb_is_none() {
        for wrong in ["", "../x", "a/b", "a?b", "a b", &"x".repeat(101)] {
            assert!(of(&queue(), PIKA, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn addresses_elsewhere_are_not_followed() {
        let given = Submitted {
            status_url: Url::parse("https://queue.fal.run.evil.example/s").unwrap(),
            response_url: Url::parse("https://queue.fal.run/fal-ai/pika/v2.2/pikaframes/requests/1/response").unwrap(),
            cancel_url: Url::parse("http://queue.fal.run/c").unwrap(),
            request_id: "1".into(),
        };
        let own = of(&queue(), PIKA, "1").unwrap();
        let kept = checked(&given, &queue(), PIKA).unwrap();
        assert_eq!(kept.status_url, own.status_url);
        assert_eq!(kept.response_url, given.response_url);
        assert_eq!(kept.cancel_url, own.cancel_url);
        assert!(!is_on(&Url::parse("https://me@queue.fal.run/x").unwrap(), &queue()));
    }
}
