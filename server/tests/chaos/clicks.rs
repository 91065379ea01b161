//! What people asked for, and what has to have come of it.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::click::Choices;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A video of a product.
    Make(Uuid),
    /// A generation that gave none, once more.
    Retry(Uuid),
}

/// A click and what is known of it.
#[derive(Debug, Clone)]
pub struct Click {
    pub key: Uuid,
    pub wish: Wish,
    /// The generation, once the server has said so.
    pub generation: Option<Uuid>,
}

impl Click {
    pub fn new(wish: Wish) -> Self {
        Self { key: Uuid::now_v7(), wish, generation: None }
    }

    /// Where its form goes, and the fields.
    pub fn form(&self) -> (&'static str, Vec<(String, String)>) {
        let key = self.key.to_string();
        match self.wish {
            Wish::Make(product) => {
                let (choices, product) = (Choices::default(), product.to_string());
                let fields = choices.fields(&product, &key).into_iter();
                let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                ("/api/admin/generations/create", fields)
            }
            Wish::Retry(of) => {
                // Whatever it costs.
                let fields = [("id", of.to_string()), ("key", key), ("price", i64::MAX.to_string())];
                ("/api/admin/generations/retry", fields.map(|(name, value)| (name.to_owned(), value)).to_vec())
            }
        }
    }
}

/// How many of them are retries.
pub fn count_retries(clicks: &[Click]) -> usize {
    clicks.iter().filter(|click| matches!(click.wish, Wish::Retry(_))).count()
}

/// A click for a product made one generation, a click on a retry made one or was led to the one that is under way, and
/// nothing else made any.
pub async fn lost(connection: &mut PgConnection, clicks: &[Click]) -> Vec<String> {
    let made: Vec<(Uuid, Uuid, Option<Uuid>)> =
        sqlx::query_as("select request_key, id, retry_of from generations").fetch_all(connection).await.unwrap();
    let by_key: BTreeMap<Uuid, Uuid> = made.iter().map(|(key, id, _)| (*key, *id)).collect();
    let retried: BTreeMap<Uuid, Option<Uuid>> = made.iter().map(|(_, id, of)| (*id, *of)).collect();
    let is_right = |click: &&Click| {
        let own = by_key.get(&click.key).copied();
        match click.wish {
            Wish::Make(_) => own.is_some() && own == click.generation,
            Wish::Retry(of) => {
                let led_to = click.generation.and_then(|id| retried.get(&id).copied()).flatten();
                led_to == Some(of) && (own.is_none() || own == click.generation)
            }
        }
    };
    let mut found: Vec<String> =
        clicks.iter().filter(|click| !is_right(click)).map(|click| format!("a click is lost: {click:?}")).collect();
    let keys: Vec<Uuid> = clicks.iter().map(|click| click.key).collect();
    let unasked = by_key.iter().filter(|(key, _)| !keys.contains(key));
    found.extend(unasked.map(|(_, id)| format!("nobody asked for generation {id}")));
    found
}
