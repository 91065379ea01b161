//! The desk's page of API tokens: made and revoked by plain forms. The fence before the desk has let the person in.

use app::{
    AppError,
    pages::plain::{PlainPage, TOKEN_DAYS as DAYS, TOKENS_PATH as PATH, TokensView, tokens_page},
};
use axum::{
    Router,
    body::Bytes,
    extract::{FromRef, Path, State as FromState},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use chrono::{Days, Utc};
use chrono_tz::Tz;
use domain::{Scope, TokenId};
use engine::{Engine, NewToken};
use leptos::config::LeptosOptions;
use tower_sessions::Session;
use url::form_urlencoded;

use super::{State, pages::shop_zone, refusal};

/// Adds the page.
pub fn routes(router: Router<State>) -> Router<State> {
    router.route(PATH, get(show).post(make)).route("/admin/tokens/{id}/revoke", post(revoke))
}

/// What the page is written from.
#[derive(Clone)]
struct Desk {
    engine: Engine,
    options: LeptosOptions,
    zone: Tz,
}

impl FromRef<State> for Desk {
    fn from_ref(state: &State) -> Self {
        Self { engine: state.engine.clone(), options: state.leptos.clone(), zone: state.zone }
    }
}

impl Desk {
    async fn page(&self, request: &Parts, view: TokensView) -> Response {
        let status = if view.is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let zone = shop_zone(self.zone);
        let page = PlainPage { request, options: &self.options, zone: &zone };
        let tokens = self.engine.tokens().await.map_err(AppError::from);
        let mut response = match tokens_page(&page, tokens.map(|tokens| TokensView { tokens, ..view })) {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => return refusal::answer(request, &error),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }
}

async fn show(FromState(desk): FromState<Desk>, request: Parts) -> Response {
    desk.page(&request, TokensView::default()).await
}

async fn make(FromState(desk): FromState<Desk>, session: Session, request: Parts, body: Bytes) -> Response {
    let person = match app::auth::session_person(&desk.engine, &session).await {
        Ok(Some(person)) => person,
        Ok(None) => return Redirect::to(PATH).into_response(),
        Err(error) => return refuse(&request, error),
    };
    let Some(new) = read(&body) else {
        return desk.page(&request, TokensView { is_refused: true, ..Default::default() }).await;
    };
    match desk.engine.create_token(person.id, &new).await {
        // In this answer only: a redirect could not carry it.
        Ok(made) => {
            desk.page(&request, TokensView { secret: Some(made.expose().to_owned()), ..Default::default() }).await
        }
        Err(engine::Error::Invalid(_)) => {
            desk.page(&request, TokensView { is_refused: true, ..Default::default() }).await
        }
        Err(error) => refuse(&request, error),
    }
}

/// What the form says; nothing of one that asks for another end than is offered, or names a scope there is not.
fn read(body: &[u8]) -> Option<NewToken> {
    let mut new = NewToken { name: String::new(), scopes: Vec::new(), expires_at: None };
    for (field, text) in form_urlencoded::parse(body) {
        match &*field {
            "name" => text.trim().clone_into(&mut new.name),
            "scope" => new.scopes.extend(Some(text.parse::<Scope>().ok()?).filter(|scope| !new.scopes.contains(scope))),
            // Only who leaves it empty means never.
            "days" if text.is_empty() => {}
            "days" => {
                let days = text.parse().ok().filter(|days| DAYS.contains(days))?;
                new.expires_at = Some(Utc::now().checked_add_days(Days::new(u64::from(days)))?);
            }
            _ => {}
        }
    }
    Some(new)
}

async fn revoke(
    FromState(desk): FromState<Desk>,
    session: Session,
    Path(id): Path<String>,
    request: Parts,
) -> Response {
    let person = match app::auth::session_person(&desk.engine, &session).await {
        Ok(person) => person,
        Err(error) => return refuse(&request, error),
    };
    let (Some(person), Ok(id)) = (person, id.parse::<TokenId>()) else {
        return refusal::answer(&request, &AppError::NotFound);
    };
    match desk.engine.revoke_token(person.id, id).await {
        Ok(()) => Redirect::to(PATH).into_response(),
        Err(error) => refuse(&request, error),
    }
}

fn refuse(request: &Parts, error: engine::Error) -> Response {
    refusal::answer(request, &AppError::from(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_form_is_read_field_by_field() {
        let new = read(b"name=+web+shop+&scope=video%3Aread&scope=video%3Aread&days=30").unwrap();
        assert_eq!((new.name.as_str(), new.scopes), ("web shop", vec![Scope::VideoRead]));
        assert!(new.expires_at.is_some_and(|end| end > Utc::now()));
        assert_eq!(read(b"name=x&days=").unwrap().expires_at, None, "never");
        for odd in [&b"days=7"[..], b"days=x", b"days=-30", b"scope=odd"] {
            assert!(read(odd).is_none(), "only what is offered");
        }
    }
}
