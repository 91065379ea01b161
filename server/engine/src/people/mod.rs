//! People: signing in, sessions, accounts.

mod store;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{
    UserId,
    user::{Email, Person},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Engine, Error};

/// Failures of one client at one address in one window.
const FAILURES_AT_ADDRESS: i32 = 10;
/// Failures of one client in one window: a whole office may come from one address.
const FAILURES_OF_CLIENT: i32 = 100;
/// Length of the window.
const WINDOW_SECS: i32 = 300;
/// Shortest password an account may have, in characters.
pub const PASSWORD_MIN_CHARS: usize = 10;
/// Longest password that is looked at, in bytes: hashing more would be a way to keep the server busy.
const PASSWORD_MAX_BYTES: usize = 512;

/// A fresh sign-in: who, and the epoch that a session must carry to stay valid.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who signed in.
    pub person: Person,
    /// Sessions with an older epoch are no longer valid.
    pub auth_epoch: i64,
}

impl Engine {
    /// Checks address and password. Failures are limited per `client` (an IP address) and address together, and higher
    /// per client.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], [`Error::TooManyTries`].
    pub async fn sign_in(&self, email: &str, password: &str, client: &str) -> Result<SignedIn, Error> {
        let email = Email::parse(email).map_err(|_| Error::WrongCredentials)?;
        let (of_client, at_address) = (format!("client:{client}"), format!("client:{client} {}", email.as_str()));
        let mut conn = self.pg().acquire().await?;
        // Counted before it is known to fail, or many guesses at once would all be let through.
        let window = store::count_try(&mut conn, &at_address, WINDOW_SECS).await?;
        if window.tries > FAILURES_AT_ADDRESS {
            return Err(Error::TooManyTries { retry_after_secs: window.left_secs });
        }
        let window = store::count_try(&mut conn, &of_client, WINDOW_SECS).await?;
        if window.tries > FAILURES_OF_CLIENT {
            store::take_back_try(&mut conn, &at_address).await?;
            return Err(Error::TooManyTries { retry_after_secs: window.left_secs });
        }
        let account = store::by_email(&mut conn, &email).await?;
        drop(conn);
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let opens = verify(password.to_owned(), hash).await?;
        let mut conn = self.pg().acquire().await?;
        let Some(account) = account.filter(|_| opens) else {
            store::prune_tries(&mut conn, WINDOW_SECS).await?;
            return Err(Error::WrongCredentials);
        };
        store::forget_tries(&mut conn, &at_address).await?;
        store::take_back_try(&mut conn, &of_client).await?;
        tracing::info!(user.id = %account.person.id, "user {} signed in", account.person.id);
        Ok(SignedIn { person: account.person, auth_epoch: account.auth_epoch })
    }

    /// The person of a session, or none when the session is no longer valid.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn person(&self, id: UserId, auth_epoch: i64) -> Result<Option<Person>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::by_id(&mut conn, id, auth_epoch).await?)
    }

    /// Makes an account: see [`create_user`].
    ///
    /// # Errors
    /// [`Error::Invalid`] when the password is too short.
    pub async fn create_user(&self, email: &Email, name: &str, password: &str) -> Result<UserId, Error> {
        create_user(self.pg(), email, name, password).await
    }

    /// Whether a password is the one of an address; counts against no limit, so never for what somebody typed in.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn has_password(&self, email: &Email, password: &str) -> Result<bool, Error> {
        let mut conn = self.pg().acquire().await?;
        let account = store::by_email(&mut conn, email).await?;
        drop(conn);
        verify(password.to_owned(), account.map(|account| account.password_hash)).await
    }

    /// Whether an address has an account.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn has_user(&self, email: &Email) -> Result<bool, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::by_email(&mut conn, email).await?.is_some())
    }
}

/// Makes an account, or gives an existing one a new name and password (which ends its sessions).
///
/// # Errors
/// [`Error::Invalid`] when the password is too short.
pub async fn create_user(pg: &PgPool, email: &Email, name: &str, password: &str) -> Result<UserId, Error> {
    if password.chars().count() < PASSWORD_MIN_CHARS || password.len() > PASSWORD_MAX_BYTES {
        return Err(Error::Invalid(vec![domain::options::InvalidOption {
            field: "password".to_owned(),
            expected: format!("at least {PASSWORD_MIN_CHARS} characters"),
        }]));
    }
    let hash = hash(password.to_owned()).await?;
    let mut conn = pg.acquire().await?;
    let id = store::upsert(&mut conn, UserId::from_uuid(Uuid::now_v7()), email, name, &hash).await?;
    tracing::info!(user.id = %id, "account of user {id} written");
    Ok(id)
}

async fn hash(password: String) -> Result<String, Error> {
    tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    })
    .await
    .map_err(Error::internal)?
    .map_err(|error| Error::internal(error.to_string()))
}

/// Compares in the same time whether or not there is an account: without one, against a hash nobody knows.
async fn verify(password: String, hash: Option<String>) -> Result<bool, Error> {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0yGNOBHmNqVhKcwRk1hVyYt5VqZQ7k3m0mTqXk0v0Fg";
    if password.len() > PASSWORD_MAX_BYTES {
        return Ok(false);
    }
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        PasswordHash::new(&text)
            .map(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
            .map_err(|error| Error::internal(error.to_string()))
    })
    .await
    .map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let stored = hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify("correct horse".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!verify("wrong horse".to_owned(), Some(stored)).await.unwrap());
        assert!(!verify("correct horse".to_owned(), None).await.unwrap());
    }
}
