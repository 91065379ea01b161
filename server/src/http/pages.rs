//! The pages: the desk (a hydrated tree) and the shop (HTML only).

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use app::{
    AdminApp, AppError, Client, ShopZone, admin_shell,
    pages::{
        plain::{self, PlainPage},
        shop::{self, ShopDocument},
    },
};
use axum::{
    Router,
    extract::{ConnectInfo, Path, Request, State as FromState},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use chrono::{Offset as _, Utc};
use chrono_tz::Tz;
use engine::Engine;
use leptos::{
    config::{Env, LeptosOptions},
    nonce::Nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tower_http::compression::CompressionLayer;

use super::{Edge, State, TrustedProxies, refusal};
use crate::config::setting::SITE_ROOT;

/// What Leptos must know of the built site. Names carry the hashes the build wrote down.
pub fn leptos_options(edge: &Edge, address: SocketAddr) -> anyhow::Result<LeptosOptions> {
    let root = std::path::absolute(&edge.site_root)?;
    let hashes = root.join("hash.txt");
    let text = |path: &std::path::Path| -> anyhow::Result<String> {
        path.to_str()
            .map(str::to_owned)
            .with_context(|| SITE_ROOT.wrong(path.display()).expecting("a path of ordinary characters (UTF-8)"))
    };
    let mut options = LeptosOptions::builder()
        .output_name("lookreel")
        .site_root(text(&root)?)
        .site_pkg_dir("pkg")
        .site_addr(address)
        .env(Env::PROD)
        .build();
    options.hash_files = true;
    options.hash_file = text(&hashes)?.into();
    Ok(options)
}

/// Adds the pages and the server functions.
pub fn routes(router: Router<State>, state: &State) -> Router<State> {
    let options = state.leptos.clone();
    let desk =
        Router::new().leptos_routes_with_context(state, generate_route_list(AdminApp), context(state), move || {
            admin_shell(options.clone())
        });
    let plain = Router::new().route("/admin/videos/{id}", get(desk_video)).route("/admin/storage", get(desk_storage));
    let desk = desk.merge(plain);
    let shop = Router::new().route("/products", get(shop_products)).route("/products/{slug}", get(shop_product));
    let desk = desk.layer(middleware::from_fn(never_cached)).layer(middleware::map_response(varied));
    let shop = shop.layer(middleware::from_fn(always_fresh)).layer(middleware::map_response(for_any_opener));
    let home = Router::new().route("/", get(|| async { Redirect::to("/products") }));
    let pages = desk.merge(shop);
    router
        .merge(
            pages
                .route("/shop.css", get(stylesheet))
                .route("/sitemap.xml", get(sitemap))
                .route("/robots.txt", get(robots))
                .layer(CompressionLayer::new()),
        )
        .merge(home.layer(middleware::map_response(for_any_opener)))
}

/// A page that whoever opened it must not know of (HTML, 7.1.3) moves to another process of the browser before it is drawn,
/// which takes 60 ms. Everybody may see the shop: it stays, and so does what leads to it.
async fn for_any_opener(mut response: Response) -> Response {
    let policy = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(policy, HeaderValue::from_static("unsafe-none"));
    response
}

async fn shop_products(FromState(engine): FromState<Engine>, request: Parts) -> ShopDocument {
    shop::products_page(&engine, &request).await
}

async fn shop_product(FromState(engine): FromState<Engine>, Path(slug): Path<String>, request: Parts) -> ShopDocument {
    shop::product_page(&engine, &request, &slug).await
}

async fn desk_video(FromState(state): FromState<State>, Path(id): Path<String>, request: Parts) -> Response {
    let zone = shop_zone(state.zone);
    let page = PlainPage { request: &request, options: &state.leptos, zone: &zone };
    let written = match id.parse() {
        Ok(id) => plain::video_page(&state.engine, &page, id).await,
        Err(_) => Err(AppError::NotFound),
    };
    plain_answer(written, &request)
}

async fn desk_storage(FromState(state): FromState<State>, request: Parts) -> Response {
    let zone = shop_zone(state.zone);
    let page = PlainPage { request: &request, options: &state.leptos, zone: &zone };
    plain_answer(plain::storage_page(&state.engine, &page).await, &request)
}

fn plain_answer(written: Result<String, AppError>, request: &Parts) -> Response {
    match written {
        Ok(html) => Html(html).into_response(),
        Err(error) => refusal::answer(request, &error),
    }
}

/// What search engines are told; they ask every few hours.
const LIST_CACHE: &str = "public, max-age=3600";

async fn sitemap(FromState(engine): FromState<Engine>, request: Parts) -> Response {
    match shop::sitemap(&engine, &request).await {
        Ok(xml) => listed(xml, "application/xml; charset=utf-8"),
        Err(error) => refusal::answer(&request, &error),
    }
}

async fn robots(request: Parts) -> Response {
    listed(shop::robots(&request), "text/plain; charset=utf-8")
}

fn listed(text: String, content_type: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, LIST_CACHE)], text).into_response()
}

/// What every page of the desk and every server function may use.
fn context(state: &State) -> impl Fn() + Clone + Send + Sync + 'static {
    let (engine, proxies, zone) = (state.engine.clone(), state.proxies, state.zone);
    move || {
        provide_context(engine.clone());
        provide_context(shop_zone(zone));
        let Some(parts) = use_context::<Parts>() else { return };
        if let Some(nonce) = parts.extensions.get::<Nonce>() {
            provide_context(nonce.clone());
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        provide_context(Client { ip: client_ip(&parts.headers, peer, proxies) });
    }
}

pub(super) fn shop_zone(zone: Tz) -> ShopZone {
    let offset = Utc::now().with_timezone(&zone).offset().fix();
    ShopZone { name: zone.name().to_owned(), offset_seconds: offset.local_minus_utc() }
}

/// Who is connected: the peer, or the address the outermost trusted proxy saw.
pub(super) fn client_ip(headers: &HeaderMap, peer: Option<IpAddr>, proxies: TrustedProxies) -> String {
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let seen = proxies.0.checked_sub(1).and_then(|behind| forwarded.iter().rev().nth(behind)).copied();
    seen.filter(|text| text.parse::<IpAddr>().is_ok())
        .map(str::to_owned)
        .or_else(|| peer.map(|ip| ip.to_string()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Pages of the desk are made for whoever asks, in their language; those of the shop say so themselves.
async fn varied(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static(shop::VARY));
    response
}

/// Pages of the desk show money and are never kept.
async fn never_cached(request: Request, next: Next) -> Response {
    with_cache_control(next.run(request).await, "no-store")
}

/// Pages of the shop may be kept for a moment.
async fn always_fresh(request: Request, next: Next) -> Response {
    with_cache_control(next.run(request).await, "public, max-age=0, must-revalidate")
}

fn with_cache_control(mut response: Response, value: &'static str) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}

/// The shop's stylesheet; its address changes with its content.
async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, app::pages::shop::STYLESHEET)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        let peer = "192.0.2.1".parse().ok();
        assert_eq!(client_ip(&headers, peer, TrustedProxies(0)), "192.0.2.1");
        assert_eq!(client_ip(&headers, peer, TrustedProxies(1)), "198.51.100.7");
        assert_eq!(client_ip(&headers, peer, TrustedProxies(2)), "203.0.113.9");
        assert_eq!(client_ip(&headers, peer, TrustedProxies(3)), "192.0.2.1");
    }
}
