//! The desk's documents as the server sends them. No engine is provided here: pages say so instead of breaking.

#![cfg(feature = "ssr")]
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{sync::LazyLock, time::Duration};

use app::{AdminApp, admin_shell};
use axum::{Router, body::Body};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use leptos::prelude::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower::ServiceExt;

/// Made once, before anything is rendered, as the server does it: while Leptos lists the routes of a tree, no page of the
/// process can load anything.
static DESK: LazyLock<Router> = LazyLock::new(|| {
    let options = LeptosOptions::builder().output_name("lookreel").build();
    let desk = options.clone();
    Router::new()
        .leptos_routes(&options, generate_route_list(AdminApp), move || admin_shell(desk.clone()))
        .with_state(options)
});

fn desk() -> Router {
    DESK.clone()
}

async fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, http::HeaderMap, String) {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let answer = desk().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_language_comes_from_the_cookie_then_the_browser_then_korean() {
    let (_, _, html) = get("/admin/sign-in", &[]).await;
    assert!(html.contains("<html lang=\"ko\"") && html.contains("비밀번호"), "{html}");
    let (_, _, html) = get("/admin/sign-in", &[(header::ACCEPT_LANGUAGE, "en-US,en;q=0.9")]).await;
    assert!(html.contains("<html lang=\"en\"") && html.contains("Password"), "{html}");
    let (_, _, html) =
        get("/admin/sign-in", &[(header::ACCEPT_LANGUAGE, "en-US"), (header::COOKIE, "language=ko; theme=dark")]).await;
    assert!(html.contains("<html lang=\"ko\"") && html.contains("data-theme=\"dark\""), "{html}");
}

#[tokio::test]
async fn the_sign_in_form_works_without_scripts() {
    let (status, _, html) = get("/admin/sign-in?next=%2Fadmin%2Fcosts", &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("action=\"/api/session/sign-in\"") && html.contains("method=\"post\""), "{html}");
    assert!(html.contains("value=\"/admin/costs\""), "{html}");
}

#[tokio::test]
async fn every_page_is_framed_and_obeys_the_content_policy() {
    for path in [
        "/admin/products",
        "/admin/products?q=x&status=ready",
        "/admin/generations?mine=1",
        "/admin/queue",
        "/admin/costs",
    ] {
        let (_, _, html) = get(path, &[]).await;
        assert!(html.contains("class=\"rail\"") && html.contains("role=\"search\""), "{path}: {html}");
        assert!(html.contains("role=\"alert\""), "{path} hides that nothing could be loaded: {html}");
        assert!(!html.contains(" style="), "{path} carries a style attribute: {html}");
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_404_inside_the_frame() {
    for path in ["/admin/nowhere", "/admin/products/not-an-id", "/admin/generations/7"] {
        let (status, _, html) = get(path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(html.contains("class=\"rail\"") && html.contains("페이지를 찾을 수 없습니다"), "{path}: {html}");
    }
}

#[tokio::test]
async fn the_desk_begins_with_the_products() {
    let (status, headers, _) = get("/admin", &[]).await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(headers.get(header::LOCATION).unwrap(), "/admin/products");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_people_are_served_at_once() {
    let desk = desk();
    let answers = (0..200).map(|number| {
        let desk = desk.clone();
        let path = ["/admin/products", "/admin/generations", "/admin/costs", "/admin/nowhere"][number % 4];
        tokio::spawn(async move {
            let answer = desk.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes().len()
        })
    });
    for answer in answers.collect::<Vec<_>>() {
        let length = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("a page never ended").unwrap();
        assert!(length > 1000);
    }
}
