//! Stills that a provider takes into its queue: waited for, looked up, called off and paid like clips.

use domain::{FailureCode, GenerationState, generation::EventKind as E};
use engine::Routes;
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, count, fal, fault, routes},
    store,
};

const BANANA: &str = "fal-ai/nano-banana-2/edit";

fn choices() -> Choices {
    Choices { routes: Routes { product_stills: vec![fal(BANANA)], ..routes() }, ..Choices::default() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_lost_submit_answer_is_looked_up_and_bought_once(pg: PgPool) {
    let shop = Shop::open_with(pg, choices()).await;
    shop.faults(json!([fault(BANANA, "drop_answer", 1)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::CallSubmitted)), (1, 3));
    assert_eq!(shop.assert_books_closed().await.stills(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_worker_goes_on_with_stills_that_are_being_made(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 300, ..choices() }).await;
    let id = shop.click().await;
    // The first puts the job away once both are taken.
    assert_eq!(shop.step_aside().await.unwrap(), 1);
    let states = store::call_states(&shop.pg, id).await;
    assert_eq!(states.iter().filter(|state| state.ends_with("submitted")).count(), 2, "{states:?}");
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!(shop.assert_books_closed().await.stills(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_still_waits_for_the_other_that_is_paid(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 300, ..choices() }).await;
    shop.faults(json!([{"model": BANANA, "step": "run", "fault": "moderation"}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ContentRefused);
    assert_eq!(detail.view.stills.len(), 1, "the paid one is kept");
    assert_eq!(count(&detail, E::CallInDoubt), 0);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.voided), (1, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_stop_calls_the_stills_off_at_the_provider(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 60_000, ..choices() }).await;
    let worker = shop.worker();
    let id = shop.click().await;
    let submitted =
        async || store::call_states(&shop.pg, id).await.iter().filter(|state| state.contains("submitted")).count();
    shop.work_until(&worker, "both submits", async || submitted().await == 2).await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.total, invoice.voided), (0, 2), "called off before they were begun");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_picture_that_is_none_is_paid_and_no_still(pg: PgPool) {
    let shop = Shop::open_with(pg, choices()).await;
    shop.faults(json!([{"model": BANANA, "fault": "wrong_type_clip"}])).await;
    let detail = shop.finish(shop.click().await).await;
    assert_eq!(detail.view.state, GenerationState::Failed);
    assert_eq!(shop.assert_books_closed().await.stills(), 2);
}
