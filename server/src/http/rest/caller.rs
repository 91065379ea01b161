//! Who asks: a token in `Authorization`, or, for what belongs to the desk, a person who is signed in. Both are counted.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State as FromState},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use chrono::Utc;
use domain::{Scope, UserId};
use tower_sessions::Session;
use uuid::Uuid;

use super::{
    Rest,
    problem::{Code, Problem},
};

/// Who asks, once it is known.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token or the person: what is counted, and whose keys are remembered.
    pub id: Uuid,
    /// In whose name things are done.
    pub user: UserId,
    grant: Grant,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Grant {
    Scopes(Arc<[Scope]>),
    Everything,
}

/// What says who it is, to ask again.
#[derive(Debug, Clone)]
enum Proof {
    Secret(String),
    Session(Session),
}

impl Caller {
    /// Whether it may do something.
    ///
    /// # Errors
    /// A problem that names the scope.
    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        match &self.grant {
            Grant::Everything => Ok(()),
            Grant::Scopes(scopes) if scopes.contains(&scope) => Ok(()),
            Grant::Scopes(_) => Err(Problem::scope_missing(scope)),
        }
    }

    /// Whether it still is who it was, for streams. While that cannot be asked it is.
    pub async fn still_stands(&self, rest: &Rest) -> bool {
        let known = match &self.proof {
            Proof::Secret(secret) => by_secret(rest, secret).await,
            Proof::Session(session) => {
                // What this session said before is forgotten.
                if session.load().await.is_err() {
                    return true;
                }
                by_session(rest, session).await
            }
        };
        known.map_or_else(|problem| problem.code().status().is_server_error(), |_| true)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only where no layer asked who it is.
        parts.extensions.get().cloned().ok_or(Problem::new(Code::Internal))
    }
}

/// Lets a request through once it is known who asks and that they may ask once more.
pub async fn authenticate(FromState(rest): FromState<Arc<Rest>>, mut request: Request, next: Next) -> Response {
    let credentials = match Credentials::of(&request) {
        Ok(credentials) => credentials,
        Err(problem) => return problem.into_response(),
    };
    let caller = match identify(&rest, credentials).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let standing = rest.rate_limit.take(caller.id, Utc::now());
    let mut response = if standing.is_over {
        Problem::new(Code::TooManyRequests).after(standing.reset_secs).into_response()
    } else {
        request.extensions_mut().insert(caller);
        next.run(request).await
    };
    standing.write(response.headers_mut());
    response
}

/// What a request says of who asks.
enum Credentials {
    Secret(String),
    Session(Session),
}

impl Credentials {
    fn of(request: &Request) -> Result<Self, Problem> {
        if let Some(secret) = bearer(request.headers())? {
            return Ok(Self::Secret(secret.to_owned()));
        }
        let session = request.extensions().get::<Session>().filter(|_| super::is_admin(request.uri().path()));
        session.cloned().map(Self::Session).ok_or(Problem::new(Code::TokenMissing))
    }
}

async fn identify(rest: &Rest, credentials: Credentials) -> Result<Caller, Problem> {
    match credentials {
        Credentials::Secret(secret) => by_secret(rest, &secret).await,
        Credentials::Session(session) => by_session(rest, &session).await,
    }
}

/// The credentials of RFC 6750, 2.1.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(secret.trim())),
        _ => Err(Problem::new(Code::TokenInvalid)),
    }
}

async fn by_secret(rest: &Rest, secret: &str) -> Result<Caller, Problem> {
    let token = rest.tokens.find(&rest.engine, secret).await.map_err(super::refused)?;
    let token = token.filter(|token| !token.is_revoked).ok_or(Problem::new(Code::TokenInvalid))?;
    if token.expires_at.is_some_and(|end| end <= Utc::now()) {
        return Err(Problem::new(Code::TokenExpired));
    }
    Ok(Caller {
        id: token.id.uuid(),
        user: token.owner,
        grant: Grant::Scopes(token.scopes.as_slice().into()),
        proof: Proof::Secret(secret.to_owned()),
    })
}

async fn by_session(rest: &Rest, session: &Session) -> Result<Caller, Problem> {
    let person = app::auth::session_person(&rest.engine, session).await.map_err(super::refused)?;
    let person = person.ok_or(Problem::new(Code::TokenMissing))?;
    Ok(Caller {
        id: person.id.uuid(),
        user: person.id,
        grant: Grant::Everything,
        proof: Proof::Session(session.clone()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_bearer_token_is_one() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, text.parse().unwrap());
            bearer(&headers).map(|secret| secret.map(str::to_owned)).map_err(|problem| problem.code())
        };
        assert_eq!(of("Bearer lkr_a"), Ok(Some("lkr_a".to_owned())));
        assert_eq!(of("bearer  lkr_a"), Ok(Some("lkr_a".to_owned())));
        for text in ["Basic abc", "lkr_a", "Bearer"] {
            assert_eq!(of(text), Err(Code::TokenInvalid), "{text}");
        }
        assert!(bearer(&HeaderMap::new()).unwrap().is_none());
    }
}
