//! One span per request, in the trace its caller began.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument as _, field::Empty};

/// Whoever asks for health asks every few seconds.
const QUIET: &str = "/health/";

/// Answers inside a span that is named by the route, not by the address.
pub async fn answer(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
    if route.starts_with(QUIET) {
        return next.run(request).await;
    }
    let span = tracing::info_span!(
        "request", otel.name = format!("{} {route}", request.method()), otel.kind = "server",
        http.request.method = %request.method(), http.route = route, http.response.status_code = Empty,
        otel.status_code = Empty
    );
    if let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        jobs::trace::follow(&span, parent);
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "error");
    }
    response
}
