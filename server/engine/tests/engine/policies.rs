//! A paid request whose answer was lost and cannot be found: what its model's policy and the owner's limit make of it.

use domain::{FailureCode, GenerationState, MicroUsd, generation::EventKind as E};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{CATALOGUE, Choices, Shop, count, fault},
    store,
};

const PIKA: &str = "fal-ai/pika";
const STILL_ROW: &str = "id = \"gemini-nano-banana-2.1\"";
const CLIP_ROW: &str = "id = \"fal-ai/pika/v2.2/pikaframes\"";

/// The catalogue with another policy in the row that names a model.
fn catalogue(row: &str, policy: &str) -> String {
    let (before, after) = CATALOGUE.split_once(row).unwrap();
    let (head, tail) = after.split_once("in_doubt = \"").unwrap();
    let (_, rest) = tail.split_once('"').unwrap();
    format!("{before}{row}{head}in_doubt = \"{policy}\"{rest}")
}

/// A lost still that is not made again, and what a person makes of it.
async fn ends_in_doubt(shop: &Shop) {
    shop.faults(json!([fault("gemini", "drop_answer", 1)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    let failure = detail.view.failure.as_ref().unwrap();
    assert_eq!((detail.view.state, failure.code), (GenerationState::Failed, FailureCode::CallInDoubt));
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::CallRepeated)), (1, 0));
    assert_eq!(shop.invoice().await.stills(), 2, "nothing was asked for twice");
    // The person decides: a retry buys it again, and both charges stand in the ledger.
    let retry = shop.retry(id).await.unwrap();
    assert_eq!(shop.finish(retry).await.view.state, GenerationState::Completed);
    let (books, invoice) = (store::books(&shop.pg).await, shop.invoice().await);
    assert_eq!((books.open_holds, books.usage_held, books.usage_paid), (0, 0, books.paid));
    // The still that was answered is not bought again.
    assert_eq!((invoice.stills(), invoice.clips()), (3, 1));
    assert!(books.paid >= invoice.total, "never less than was charged");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_model_to_ask_about_is_not_asked_twice(pg: PgPool) {
    let choices = Choices { catalogue: catalogue(STILL_ROW, "ask"), ..Choices::default() };
    ends_in_doubt(&Shop::open_with(pg, choices).await).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn above_the_owners_limit_nothing_is_repeated(pg: PgPool) {
    let choices = Choices { repeat_below: MicroUsd::new(30_000), ..Choices::default() };
    ends_in_doubt(&Shop::open_with(pg, choices).await).await;
}

/// A clip whose submit was never answered, with a list that answers nobody.
async fn lose_clip(shop: &Shop) -> domain::GenerationId {
    let silent = json!({"model": PIKA, "step": "listing", "fault": "status", "status": 503, "times": 999});
    shop.faults(json!([fault(PIKA, "drop_answer", 1), silent])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the doubt", async || store::clip_call(&shop.pg, id).await.state == "in_doubt").await;
    // Nobody has told of it for longer than anybody waits.
    store::age_intent(&shop.pg, store::clip_call(&shop.pg, id).await.id).await;
    id
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_nobody_can_find_waits_for_a_person(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { repeat_below: MicroUsd::new(1_000_000), ..Choices::default() }).await;
    let id = lose_clip(&shop).await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::CallInDoubt);
    assert_eq!(count(&detail, E::CallRepeated), 0);
    assert_eq!(shop.assert_books_closed().await.clips(), 1, "counted as paid, and it was");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_to_be_repeated_is_bought_again_below_the_limit(pg: PgPool) {
    let catalogue = catalogue(CLIP_ROW, "repeat");
    let choices = Choices { catalogue, repeat_below: MicroUsd::new(1_000_000), ..Choices::default() };
    let shop = Shop::open_with(pg, choices).await;
    let id = lose_clip(&shop).await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!(count(&detail, E::CallRepeated), 1);
    assert_eq!(store::call_states(&shop.pg, id).await[..2], ["clip/1 in_doubt", "clip/2 done"]);
    assert_eq!(shop.assert_books_closed().await.clips(), 2, "both charges stand");
}
