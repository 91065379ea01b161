//! Clips, which a queue makes of two stills that are paid for already.

use domain::{
    FailureCode as Code,
    Stage::{Clip, Encode},
    cost::Reused,
};
use serde_json::json;
use sqlx::PgPool;

use super::{play, queue::Made};
use crate::shop::Shop;

const STILLS: &[Reused] = &[Reused::Stills];
const MADE: Made =
    Made { model: "fal-ai/pika/v2.2/pikaframes", stage: Clip, all: (2, 1), none: (2, 0), kept: [STILLS, STILLS] };

#[sqlx::test(migrations = "../../migrations")]
async fn before_a_clip_is_taken(pg: PgPool) {
    play(&Shop::open(pg).await, Clip, MADE.before_it_is_taken()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_a_clip_was_taken(pg: PgPool) {
    play(&Shop::open(pg).await, Clip, MADE.after_it_was_taken()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_clip_is_made(pg: PgPool) {
    play(&Shop::open(pg).await, Clip, MADE.while_it_is_made()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_clip_is_looked_at(pg: PgPool) {
    play(&Shop::open(pg).await, Clip, MADE.while_it_is_looked_at()).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_a_clip_is_fetched(pg: PgPool) {
    let mut cases = MADE.while_it_is_fetched(Code::ClipCorrupt);
    // It begins like a clip: only decoding shows that it is none.
    let truncated = MADE.case("a truncated clip", json!({"fault": "truncated_media"}));
    cases.push(truncated.fails(Code::ClipCorrupt, Encode, STILLS));
    play(&Shop::open(pg).await, Clip, cases).await;
}
