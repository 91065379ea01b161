//! Who is it? The session names the person and the epoch it was made in; the engine says whether both still hold.

use axum::Extension;
use domain::{UserId, user::Person};
use engine::{Engine, SignedIn};
use leptos::prelude::use_context;
use tower_sessions::Session;
use uuid::Uuid;

use crate::error::{AppError, refused};

/// Key of the person's id in the session.
pub const USER_ID: &str = "user_id";
/// Key of the epoch the session was made in.
pub const AUTH_EPOCH: &str = "auth_epoch";

/// The engine of this request.
///
/// # Errors
/// [`AppError::Internal`] where the server provided none.
pub fn engine() -> Result<Engine, AppError> {
    use_context::<Engine>().ok_or_else(|| {
        tracing::error!("no engine was provided to this request");
        refused(AppError::Internal)
    })
}

/// The session of this request.
///
/// # Errors
/// [`AppError::Internal`] where no session layer ran.
pub async fn session() -> Result<Session, AppError> {
    leptos_axum::extract::<Extension<Session>>().await.map(|Extension(session)| session).map_err(|error| {
        tracing::error!(error = %error, "no session layer ran for this request: {error}");
        refused(AppError::Internal)
    })
}

/// The person of a session: none when nobody signed in, or when the epoch is no longer theirs. For guards before Leptos.
///
/// # Errors
/// `Unavailable` when the session store or the database is away.
pub async fn session_person(engine: &Engine, session: &Session) -> Result<Option<Person>, engine::Error> {
    let away = |source| engine::Error::Unavailable { part: "sessions", source: Box::new(source) };
    let id = session.get::<Uuid>(USER_ID).await.map_err(away)?;
    let epoch = session.get::<i64>(AUTH_EPOCH).await.map_err(away)?;
    match (id, epoch) {
        (Some(id), Some(epoch)) => engine.person(UserId::from_uuid(id), epoch).await,
        _ => Ok(None),
    }
}

/// The person of this request, when somebody is signed in.
///
/// # Errors
/// When the session store or the database is away.
pub async fn current_person() -> Result<Option<Person>, AppError> {
    Ok(session_person(&engine()?, &session().await?).await?)
}

/// The person of this request.
///
/// # Errors
/// [`AppError::SignedOut`] when nobody is signed in; others as for [`current_person`].
pub async fn require_person() -> Result<Person, AppError> {
    current_person().await?.ok_or_else(|| refused(AppError::SignedOut))
}

/// Puts the person into the session, under a new session id.
///
/// # Errors
/// When the session store is away.
pub async fn begin(session: &Session, signed_in: &SignedIn) -> Result<(), AppError> {
    session.cycle_id().await?;
    session.insert(USER_ID, signed_in.person.id.uuid()).await?;
    session.insert(AUTH_EPOCH, signed_in.auth_epoch).await?;
    Ok(())
}
