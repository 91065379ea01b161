//! Clients that name a vendor's host: in the header their proxies use, or by
//! resolving the host to us.

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Uri};
use url::Url;

const TARGET: &str = "x-fal-target-url";
/// The vendors' hosts, and where their paths begin here.
const HOSTS: [(&str, &str); 7] = [
    ("fal.run", "/run"),
    ("queue.fal.run", ""),
    ("rest.fal.ai", ""),
    ("rest.alpha.fal.ai", ""),
    ("api.fal.ai", ""),
    ("v3.fal.media", ""),
    ("generativelanguage.googleapis.com", ""),
];

/// The same request at the path that its target has here.
pub(super) fn resolve(mut request: Request<Body>) -> Request<Body> {
    if let Some(uri) = target_of(&request) {
        *request.uri_mut() = uri;
    }
    request
}

fn target_of(request: &Request<Body>) -> Option<Uri> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let begins = |host: &str| HOSTS.iter().find(|(known, _)| *known == host).map(|(_, begins)| *begins);
    let path = match header(TARGET) {
        Some(target) => {
            let url = Url::parse(target).ok()?;
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{}{query}", begins(url.host_str()?)?, url.path())
        }
        None => {
            let host = header(HOST.as_str())?;
            let host = host.split_once(':').map_or(host, |(host, _)| host);
            let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
            format!("{}{path}", begins(host)?)
        }
    };
    path.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn resolved(path: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        resolve(request.body(Body::empty()).unwrap()).uri().to_string()
    }

    #[test]
    fn a_vendors_host_decides_where_a_path_begins() {
        let target = "https://queue.fal.run/fal-ai/pika/v2.2/pikaframes?fal_webhook=x";
        let queued = resolved("/api/fal/proxy", &[(TARGET, target)]);
        assert_eq!(queued, "/fal-ai/pika/v2.2/pikaframes?fal_webhook=x");
        assert_eq!(resolved("/x", &[(TARGET, "https://fal.run/fal-ai/stable-video")]), "/run/fal-ai/stable-video");
        assert_eq!(resolved("/fal-ai/stable-video", &[("host", "fal.run:443")]), "/run/fal-ai/stable-video");
        assert_eq!(resolved("/a/b?c=d", &[("host", "127.0.0.1:3900")]), "/a/b?c=d");
        assert_eq!(resolved("/a", &[(TARGET, "https://elsewhere.example/b")]), "/a");
    }
}
