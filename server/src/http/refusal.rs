//! Answers of the edge itself, where no page and no server function is asked: a page for people, a problem document for
//! who asks the API, the error as JSON for scripts of ours.

use app::{AppError, pages::shop};
use axum::{
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use leptos::prelude::FromServerFnError as _;

use super::rest;

/// Refuses a request.
pub fn answer(request: &Parts, error: &AppError) -> Response {
    let mut response = if rest::speaks_problems(request.uri.path()) {
        // Some clients accept pages by themselves; nobody there can read one.
        rest::refuse(request, code_of(error))
    } else if wants_page(request) {
        shop::refusal_page(request, error).into_response()
    } else {
        let json = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept")];
        (error.status(), json, error.ser()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn code_of(error: &AppError) -> rest::Code {
    match error {
        AppError::NotFound => rest::Code::NotFound,
        AppError::TooLarge => rest::Code::TooLarge,
        AppError::Unavailable => rest::Code::Unavailable,
        _ => rest::Code::Internal,
    }
}

/// People open pages and send forms; who takes anything is shown a page where pages are.
fn wants_page(request: &Parts) -> bool {
    let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    let path = request.uri.path();
    let is_api = path.starts_with("/api/") || path.starts_with("/events/");
    accept.contains("text/html") || (accept == "*/*" && !is_api)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::Request;

    use super::*;

    #[test]
    fn people_see_pages_and_scripts_read_json() {
        for (path, accept, is_page) in [
            ("/nothing", "text/html,application/xhtml+xml", true),
            ("/nothing", "*/*", true),
            ("/nothing", "image/avif,image/webp,*/*;q=0.8", false),
            ("/api/admin/queue/pause", "text/html", true),
            ("/api/admin/queue/pause", "application/json", false),
            ("/api/video/webhook", "*/*", false),
            ("/api/video/tryon-images", "text/html, image/gif, */*; q=.2", false),
        ] {
            let request = Request::get(path).header("accept", accept).body(()).unwrap().into_parts().0;
            let answer = answer(&request, &AppError::NotFound);
            let is_html = answer.headers()["content-type"].to_str().unwrap().starts_with("text/html");
            assert_eq!((answer.status().as_u16(), is_html), (404, is_page), "{path} {accept}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
    }
}
