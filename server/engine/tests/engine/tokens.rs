//! Tokens as the desk lists them.

use domain::Scope;
use engine::NewToken;
use sqlx::PgPool;

use crate::{api_store, shop::Shop};

#[sqlx::test(migrations = "../../migrations")]
async fn however_many_were_revoked_one_that_may_be_used_is_listed(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let new = |name: &str| NewToken { name: name.to_owned(), scopes: vec![Scope::VideoRead], expires_at: None };
    let (old, new) = (new("old"), new("new"));
    let made = shop.engine.create_token(shop.person, &old).await.unwrap();
    api_store::insert_revoked_tokens(&shop.pg, made.id, 600).await;
    let newer = shop.engine.create_token(shop.person, &new).await.unwrap();
    let listed = shop.engine.tokens().await.unwrap();
    assert_eq!(listed.len(), 500);
    let first: Vec<_> = listed.iter().take(2).map(|token| token.id).collect();
    assert_eq!(first, [newer.id, made.id], "those that may be used, newest first");
    assert!(listed.iter().skip(2).all(|token| token.revoked_at.is_some()));
}
