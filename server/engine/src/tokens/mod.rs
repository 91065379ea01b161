//! API tokens: what a shop's own code is known by. The secret is shown once; its SHA-256 is kept, which is enough for 256
//! bits nobody chose.

pub(crate) mod store;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::{Scope, TokenId, UserId, options::InvalidOption, user::Email};
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Engine, Error};

/// What every secret begins with: who finds one knows what it is.
pub const SECRET_PREFIX: &str = "lkr_";
/// Characters of a secret behind its prefix: 32 bytes.
const SECRET_CHARS: usize = 43;
/// Characters of a secret that tell it from others.
const HINT_CHARS: usize = 4;
/// Longest name, in characters.
const NAME_MAX_CHARS: usize = 100;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// What it may do, at least one thing.
    pub scopes: Vec<Scope>,
    /// When it ends; none for one that does not by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token that was just made: the only time its secret is seen.
#[derive(Debug, Clone)]
pub struct MadeToken {
    /// Its id.
    pub id: TokenId,
    /// What requests carry.
    pub secret: SecretString,
}

/// A token as requests are judged by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// In whose name it acts.
    pub owner: UserId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether somebody revoked it.
    pub is_revoked: bool,
}

/// A token as the desk lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The end of its secret.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Name of the person in whose name it acts.
    pub owner: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, give or take some seconds.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When somebody revoked it.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Requests of a caller in a minute that were counted here and not written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The token or the person.
    pub caller: Uuid,
    /// The minute's beginning.
    pub minute: DateTime<Utc>,
    /// How many.
    pub requests: u64,
}

impl Engine {
    /// Makes a token that acts in the name of a person.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name, scopes or an end that it cannot have.
    pub async fn create_token(&self, owner: UserId, new: &NewToken) -> Result<MadeToken, Error> {
        insert(self.pg(), owner, new).await
    }

    /// The token of a secret, whatever became of it; none for a text that is no secret of ours.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn token(&self, secret: &str) -> Result<Option<Token>, Error> {
        let Some(sha256) = secret_sha256(secret) else { return Ok(None) };
        let mut conn = self.pg().acquire().await?;
        Ok(store::by_secret(&mut conn, &sha256).await?)
    }

    /// Every token, those that may be used before the others, newest first, at most 500.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn tokens(&self) -> Result<Vec<ListedToken>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::list(&mut conn).await?)
    }

    /// Revokes a token; one that is revoked stays so. Processes that just saw it believe it for some seconds more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_token(&self, by: UserId, id: TokenId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        if !store::revoke(&mut tx, id).await? {
            return Err(Error::NotFound("token"));
        }
        crate::generations::store::audit(&mut tx, Some(by), "token.revoked", id.uuid()).await?;
        tx.commit().await?;
        tracing::info!(token.id = %id, user.id = %by, "user {by} revoked token {id}");
        Ok(())
    }

    /// Adds requests that were counted in this process and answers with the sums over all processes, in their order;
    /// notes when tokens were last used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn add_usage(&self, usage: &[Usage]) -> Result<Vec<u64>, Error> {
        let mut conn = self.pg().acquire().await?;
        let sums = store::add_usage(&mut conn, usage).await?;
        store::note_use(&mut conn, &usage.iter().map(|one| one.caller).collect::<Vec<_>>()).await?;
        Ok(usage.iter().map(|one| sums.get(&(one.caller, one.minute)).copied().unwrap_or(one.requests)).collect())
    }
}

/// Makes a token in the name of an account, for the command line.
///
/// # Errors
/// [`Error::NotFound`] for an address without an account; others as for [`Engine::create_token`].
pub async fn create_token(pg: &PgPool, owner: &Email, new: &NewToken) -> Result<MadeToken, Error> {
    let mut conn = pg.acquire().await?;
    let owner = store::owner(&mut conn, owner).await?.ok_or(Error::NotFound("account"))?;
    drop(conn);
    insert(pg, owner, new).await
}

async fn insert(pg: &PgPool, owner: UserId, new: &NewToken) -> Result<MadeToken, Error> {
    check(new)?;
    let bytes: [u8; 32] = rand::rng().random();
    let secret = format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hint = secret.get(secret.len() - HINT_CHARS..).unwrap_or_default();
    let sha256 = secret_sha256(&secret).ok_or_else(|| Error::internal("a secret of another shape"))?;
    let id = TokenId::from_uuid(Uuid::now_v7());
    let mut tx = pg.begin().await?;
    store::insert(&mut tx, id, owner, new, &sha256, hint).await?;
    crate::generations::store::audit(&mut tx, Some(owner), "token.created", id.uuid()).await?;
    tx.commit().await?;
    tracing::info!(token.id = %id, user.id = %owner, "token {id} was made for user {owner}");
    Ok(MadeToken { id, secret: SecretString::from(secret) })
}

fn check(new: &NewToken) -> Result<(), Error> {
    let mut wrong = Vec::new();
    let mut expect = |is_right: bool, field: &str, expected: &str| {
        if !is_right {
            wrong.push(InvalidOption { field: field.to_owned(), expected: expected.to_owned() });
        }
    };
    let length = new.name.chars().count();
    let is_name = (1..=NAME_MAX_CHARS).contains(&length) && !new.name.chars().any(char::is_control);
    expect(is_name && !new.name.trim().is_empty(), "name", "1 to 100 characters");
    expect(!new.scopes.is_empty(), "scopes", &Scope::list());
    expect(new.expires_at.is_none_or(|end| end > Utc::now()), "expires_at", "a moment to come");
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// What is kept of a secret; none for a text that cannot be one.
pub fn secret_sha256(secret: &str) -> Option<[u8; 32]> {
    let chars = secret.strip_prefix(SECRET_PREFIX)?;
    let is_secret = chars.len() == SECRET_CHARS
        && chars.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_secret.then(|| Sha256::digest(secret).into())
}

impl MadeToken {
    /// The secret as text.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_secret_is_looked_for() {
        let secret = format!("lkr_{}", "a".repeat(43));
        assert!(secret_sha256(&secret).is_some());
        for text in ["", "lkr_", &"a".repeat(47), &format!("lkr_{}", "a".repeat(42)), &secret.replace("aa", "a ")] {
            assert_eq!(secret_sha256(text), None, "{text:?}");
        }
    }
}
