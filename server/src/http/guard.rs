//! The fence before the desk: nobody gets past it without a session, before a page renders or a stream opens. Server
//! functions authorise in their own body as well.

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use engine::Engine;
use tower_sessions::Session;
use url::form_urlencoded;

use super::{refusal, sessions};

/// The page that is open to everybody.
const SIGN_IN: &str = "/admin/sign-in";
/// Where a person who is signed in begins.
const HOME: &str = "/admin/products";

/// Lets a request through, sends it to the sign-in, or refuses it.
pub async fn admin(State(engine): State<Engine>, session: Session, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = path == "/admin" || path.starts_with("/admin/");
    let is_stream = path.starts_with("/events/");
    if !is_page && !is_stream {
        if path.starts_with("/api/admin/") {
            // A desk that stays open loads no page for days.
            note(sessions::visit_again(&session).await);
        }
        return next.run(request).await;
    }
    match app::auth::session_person(&engine, &session).await {
        Ok(Some(_)) if path == SIGN_IN => Redirect::to(HOME).into_response(),
        Ok(Some(person)) => {
            note(sessions::visit(&session).await);
            // Pages that are written without Leptos read it from there.
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        Ok(None) if path == SIGN_IN => next.run(request).await,
        Ok(None) if is_stream => StatusCode::UNAUTHORIZED.into_response(),
        Ok(None) => Redirect::to(&sign_in_address(request.uri())).into_response(),
        Err(error) => {
            tracing::error!(%error, "the session of a request could not be checked");
            refusal::answer(&request.into_parts().0, &app::AppError::Unavailable)
        }
    }
}

/// A session that could not be renewed now is renewed by the next request.
fn note(renewed: Result<(), tower_sessions::session::Error>) {
    if let Err(error) = renewed {
        tracing::warn!(%error, "a session could not be renewed");
    }
}

/// The sign-in that leads back to where somebody wanted to go.
fn sign_in_address(wanted: &Uri) -> String {
    let target = wanted.path_and_query().map_or(HOME, |target| target.as_str());
    let next: String = form_urlencoded::byte_serialize(target.as_bytes()).collect();
    format!("{SIGN_IN}?next={next}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_way_back_survives() {
        let wanted: Uri = "/admin/products?q=a&page=2".parse().unwrap();
        assert_eq!(sign_in_address(&wanted), "/admin/sign-in?next=%2Fadmin%2Fproducts%3Fq%3Da%26page%3D2");
    }
}
