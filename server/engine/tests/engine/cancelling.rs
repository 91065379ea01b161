//! Stopping a generation, wherever it is. What was paid stays paid; what can still be had for nothing is.

use domain::{GenerationState, StageState, generation::EventKind as E};
use engine::Error;
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, count, until},
    store,
};

const PIKA: &str = "fal-ai/pika";
const NEVER_RUNS_MS: u64 = 600_000;

async fn park(shop: &Shop, id: domain::GenerationId) {
    let worker = shop.worker();
    shop.work_until(&worker, "the clip to be submitted", async || {
        store::clip_call(&shop.pg, id).await.state == "submitted"
    })
    .await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_queued_one_costs_nothing(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    let detail = shop.engine.generation(id).await.unwrap();
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    assert!(detail.view.stages.iter().all(|stage| stage.state == StageState::Skipped));
    assert_eq!(store::call_states(&shop.pg, id).await, ["clip/1 void", "still_end/1 void", "still_start/1 void"]);
    assert_eq!((count(&detail, E::CancelRequested), count(&detail, E::Cancelled)), (1, 1));
    assert_eq!(shop.worker().step().await.unwrap(), 0);
    assert_eq!(shop.assert_books_closed().await.total, 0);
    assert!(store::notice_kinds(&shop.pg).await.is_empty(), "nobody is told what they did themselves");
    let again = shop.engine.cancel(shop.person, id).await.unwrap_err();
    assert!(matches!(again, Error::Conflict(_)), "{again}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn stills_under_way_are_paid_and_the_clip_is_not_bought(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "delay_ms", "ms": 700, "times": 2}])).await;
    let id = shop.click().await;
    let working = shop.step_aside();
    until("both calls", async || {
        store::calls(&shop.pg, id).await.iter().filter(|call| call.state == "intent").count() == 2
    })
    .await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    working.await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "void");
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_waits_at_the_provider_is_free(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: NEVER_RUNS_MS, ..Choices::default() }).await;
    let id = shop.click().await;
    park(&shop, id).await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    let call = store::clip_call(&shop.pg, id).await;
    assert_eq!((call.state.as_str(), call.cost_micro_usd), ("failed", Some(0)));
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 0, 1), "cancelled at the provider too");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_runs_already_is_paid(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": PIKA, "step": "run", "fault": "delay_ms", "ms": 1_500}])).await;
    let id = shop.click().await;
    park(&shop, id).await;
    let request_id = store::clip_call(&shop.pg, id).await.request_id.unwrap();
    until("the clip to run", async || shop.clip_status(&request_id).await == "IN_PROGRESS").await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    let call = store::clip_call(&shop.pg, id).await;
    assert_eq!((call.state.as_str(), call.cost_micro_usd), ("done", Some(200_000)));
    assert!(detail.view.video.is_none());
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.clips(), detail.view.paid.micros()), (1, invoice.total), "shown as paid");
    assert_eq!(count(&detail, E::CallDone), 3, "told as paid");

    // The clip was kept: who wants it after all does not pay for it again.
    let offer = shop.engine.retry_offer(id).await.unwrap();
    assert_eq!(offer.quote.total.micros(), 0);
    let retry = shop.retry(id).await.unwrap();
    assert_eq!(shop.finish(retry).await.view.state, GenerationState::Completed);
    assert_eq!(shop.assert_books_closed().await.total, invoice.total);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_is_just_being_submitted_is_cancelled_at_the_provider(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: NEVER_RUNS_MS, ..Choices::default() }).await;
    shop.faults(json!([{"model": PIKA, "step": "submit", "fault": "delay_ms", "ms": 600}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the stills", async || shop.view(id).await.stills.len() == 2).await;
    let submitting = shop.step_aside();
    until("the submit", async || store::clip_call(&shop.pg, id).await.state == "intent").await;
    shop.engine.cancel(shop.person, id).await.unwrap();
    submitting.await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Cancelled);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 0, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_ended_one_cannot_be_stopped(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    shop.finish(id).await;
    let books = store::books(&shop.pg).await;
    let refused = shop.engine.cancel(shop.person, id).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused}");
    assert_eq!(shop.view(id).await.state, GenerationState::Completed);
    assert_eq!(store::books(&shop.pg).await, books);
    let nobody = domain::GenerationId::from_uuid(uuid::Uuid::now_v7());
    assert!(matches!(shop.engine.cancel(shop.person, nobody).await, Err(Error::NotFound("generation"))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn stopping_and_a_retry_that_begins_do_not_wait_for_each_other(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "status", "status": 503, "times": 2}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the retry", async || store::job_state(&shop.pg, id).await == "retrying").await;
    // A worker has the job's row and comes to the generation's next.
    let mut begins = shop.pg.begin().await.unwrap();
    store::hold_job(&mut begins, id).await;
    let engine = shop.engine.clone();
    let person = shop.person;
    let stopping = tokio::spawn(async move { engine.cancel(person, id).await });
    until("the wish to stop to wait", async || store::somebody_waits(&shop.pg).await).await;
    store::touch(&mut begins, id).await.expect("nobody holds the generation while it waits for its job");
    begins.commit().await.unwrap();
    stopping.await.unwrap().unwrap();
    assert_eq!(shop.finish(id).await.view.state, GenerationState::Cancelled);
    shop.assert_books_closed().await;
}
