//! Stills that a queue makes.

use domain::{FailureCode as Code, Stage::Stills, cost::Reused};
use engine::Routes;
use serde_json::json;
use sqlx::PgPool;

use super::{play, queue::Made};
use crate::shop::{Choices, Shop, fal, routes};

const MADE: Made = Made {
    model: "fal-ai/nano-banana-2/edit",
    stage: Stills,
    all: (2, 0),
    none: (0, 0),
    kept: [&[], &[Reused::OneStill]],
};

async fn open(pg: PgPool) -> Shop {
    let routes = Routes { product_stills: vec![fal(MADE.model)], ..routes() };
    Shop::open_with(pg, Choices { routes, ..Choices::default() }).await
}

#[sqlx::test(migrations = "../../migrations")]
async fn before_a_still_is_taken(pg: PgPool) {
    play(&open(pg).await, Stills, MADE.before_it_is_taken()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_a_still_was_taken(pg: PgPool) {
    play(&open(pg).await, Stills, MADE.after_it_was_taken()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_still_is_made(pg: PgPool) {
    play(&open(pg).await, Stills, MADE.while_it_is_made()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_still_is_looked_at(pg: PgPool) {
    play(&open(pg).await, Stills, MADE.while_it_is_looked_at()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_still_is_fetched(pg: PgPool) {
    let mut cases = MADE.while_it_is_fetched(Code::ProviderGarbage);
    let truncated = MADE.case("a truncated picture", json!({"fault": "truncated_media"}));
    cases.push(MADE.lacks(truncated, Code::ProviderGarbage));
    play(&open(pg).await, Stills, cases).await;
}
