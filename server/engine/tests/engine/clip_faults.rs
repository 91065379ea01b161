//! What happens when the maker of clips refuses, fails, lies, or its answers are lost. A clip is bought once.

use domain::{FailureCode, GenerationState, Stage, generation::EventKind as E};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, count, fault, until},
    store,
};

const PIKA: &str = "fal-ai/pika";
const CLIP_PRICE: i64 = 200_000;

#[sqlx::test(migrations = "../../migrations")]
async fn a_lost_submit_answer_is_looked_up_and_bought_once(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault(PIKA, "drop_answer", 1)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::CallSubmitted)), (1, 1));
    let call = store::clip_call(&shop.pg, id).await;
    assert_eq!((call.ordinal, call.state.as_str(), call.cost_micro_usd), (1, "done", Some(CLIP_PRICE)));
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1));
    assert!(invoice.request_ids.contains(&call.request_id.unwrap()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_submit_that_never_arrived_is_sent_again(pg: PgPool) {
    let shop = Shop::open(pg).await;
    // The worker dies while the request is still on its way: nothing was accepted.
    shop.faults(json!([{"model": PIKA, "step": "submit", "fault": "delay_ms", "ms": 60_000}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the stills", async || shop.view(id).await.stills.len() == 2).await;
    drop(worker);
    let dying = shop.step_aside();
    until("the submit at the provider's door", async || shop.faults_left().await == 0).await;
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "intent");
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    store::expire_leases(&shop.pg).await;

    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let told = (count(&detail, E::CallInDoubt), count(&detail, E::CallSubmitted));
    assert_eq!(told, (1, 1), "{:#?}", detail.timeline);
    assert_eq!(store::call_states(&shop.pg, id).await[0], "clip/1 done");
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_free_failure_is_tried_again_as_a_new_call(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault(PIKA, "completed_with_error", 1), {"model": PIKA, "step": "status", "fault": "garbage"}]))
        .await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!((count(&detail, E::CallFailed), count(&detail, E::RetryScheduled)), (1, 1));
    let calls: Vec<_> = store::calls(&shop.pg, id).await.into_iter().filter(|call| call.slot == "clip").collect();
    let costs: Vec<_> = calls.iter().map(|call| (call.state.as_str(), call.cost_micro_usd)).collect();
    assert_eq!(costs, [("failed", Some(0)), ("done", Some(CLIP_PRICE))]);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.clips(), invoice.voided), (1, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_keeps_failing_ends_the_generation(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault(PIKA, "completed_with_error", 3)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    let failure = detail.view.failure.as_ref().unwrap();
    assert_eq!((detail.view.state, failure.code), (GenerationState::Failed, FailureCode::ProviderUnavailable));
    assert_eq!(failure.stage, Some(Stage::Clip));
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 0, 3));
    assert_eq!(detail.view.paid.micros(), invoice.total, "the stills stay paid");
    assert!(detail.view.video.is_none() && detail.view.progress < 100);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_clip_is_free_and_final(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": PIKA, "step": "run", "fault": "moderation"}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ContentRefused);
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "failed");
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.clips(), invoice.voided), (0, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_damaged_clip_is_shown_as_paid(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let mut total = 0;
    // A clip that breaks off is a clip until it is decoded; something else is none.
    for (name, state) in [("corrupt_clip", "done"), ("wrong_type_clip", "failed")] {
        shop.faults(json!([fault(PIKA, name, 1)])).await;
        let id = shop.click().await;
        let detail = shop.finish(id).await;
        let failure = detail.view.failure.as_ref().unwrap();
        assert_eq!((detail.view.state, failure.code), (GenerationState::Failed, FailureCode::ClipCorrupt), "{name}");
        let call = store::clip_call(&shop.pg, id).await;
        assert_eq!((call.state.as_str(), call.cost_micro_usd), (state, Some(CLIP_PRICE)), "{name}");
        let settled = store::entries(&shop.pg, call.id).await;
        assert_eq!(settled.last().unwrap(), &("settle".to_owned(), CLIP_PRICE, false), "{name}");
        total += detail.view.paid.micros();
        let bell = shop.engine.bell(shop.person).await.unwrap();
        assert!(format!("{:?}", bell.notices.first().unwrap().body).contains(&detail.view.paid.micros().to_string()));
    }
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.clips(), invoice.total), (2, total));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_the_provider_forgot_is_counted_as_paid(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": PIKA, "step": "status", "fault": "status", "status": 404}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ResultMissing);
    let call = store::clip_call(&shop.pg, id).await;
    let entries = store::entries(&shop.pg, call.id).await;
    assert_eq!(entries.last().unwrap(), &("settle".to_owned(), CLIP_PRICE, true), "nobody said so: assumed");
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_takes_too_long_is_given_up(pg: PgPool) {
    let patience = std::time::Duration::from_millis(400);
    let choices = Choices { poll_timeout: patience, queue_delay_ms: 60_000, ..Choices::default() };
    let shop = Shop::open_with(pg, choices).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ProviderTimeout);
    let books = store::books(&shop.pg).await;
    assert_eq!((books.open_holds, books.usage_held), (0, 0));
    // It was cancelled there while it was queued, so it is free.
    assert_eq!(shop.invoice().await.voided, 1);
    assert_eq!(books.paid, shop.invoice().await.total);
}
