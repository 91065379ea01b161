//! Files of the built site: hashed names for ever, the rest for an hour. What is none of them is the last address asked,
//! and not found.

use std::path::Path;

use app::AppError;
use axum::{
    Router,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};
use tower::ServiceBuilder;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use super::{State, refusal};

/// Adds the site's files; what is none of them is not found.
pub fn routes(router: Router<State>, site_root: &Path) -> Router<State> {
    let folder = |name: &str| ServeDir::new(site_root.join(name)).precompressed_br().precompressed_gzip();
    let kept = |value: &'static str| {
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static(value))
    };
    let for_ever = ServiceBuilder::new().layer(kept("public, max-age=31536000, immutable"));
    let for_an_hour = ServiceBuilder::new().layer(kept("public, max-age=3600"));
    let rest = ServeDir::new(site_root)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(axum::handler::HandlerWithoutStateExt::into_service(not_found));
    router
        .nest_service("/pkg", for_ever.service(folder("pkg")))
        .nest_service("/fonts", for_an_hour.clone().service(folder("fonts")))
        .fallback_service(for_an_hour.service(rest))
}

async fn not_found(request: Parts) -> Response {
    refusal::answer(&request, &AppError::NotFound)
}
