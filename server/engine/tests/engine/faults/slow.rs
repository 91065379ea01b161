//! Longer than anybody waits.

use std::time::Duration;

use domain::{
    FailureCode as Code, GenerationState,
    Stage::{Clip, Stills},
    cost::Reused,
    generation::EventKind as E,
};
use engine::Routes;
use serde_json::json;
use sqlx::PgPool;

use super::{Case, play, play_one};
use crate::{
    shop::{Choices, Shop, count, fal, routes, until},
    store,
};

const BANANA: &str = "fal-ai/nano-banana-2/edit";
const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";

fn stills_of_a_queue() -> Routes {
    Routes { product_stills: vec![fal(BANANA)], ..routes() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn answers_with_a_still_are_given_up_and_asked_for_again(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { still_timeout: Duration::from_secs(4), ..Choices::default() }).await;
    shop.faults(json!([
        {"model": "gemini", "fault": "never", "seconds": 60},
        {"model": "gemini", "step": "submit", "fault": "slow_body", "bytes_per_sec": 1_000},
    ]))
    .await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::CallRepeated)), (2, 2));
    assert_eq!(shop.assert_books_closed().await.stills(), 4, "each was bought twice, and so it says in the ledger");
}

/// A body that drips: every fetch of the file takes longer than it may.
fn slow_file(fault: &'static str, model: &str) -> Case {
    Case::new(fault, json!({"model": model, "fault": "slow_body", "bytes_per_sec": 500}), (2, 0))
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_picture_that_drips(pg: PgPool) {
    let choices = Choices { file_timeout: Duration::from_secs(2), routes: stills_of_a_queue(), ..Choices::default() };
    let shop = Shop::open_with(pg, choices).await;
    let cases = vec![
        slow_file("a slow body once", BANANA).tried_again(1),
        // They are made and paid; nobody will fetch them any more.
        slow_file("a slow body for good", BANANA).always().tried_again(2).fails(Code::ProviderTimeout, Stills, &[]),
    ];
    play(&shop, Stills, cases).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_drips(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { file_timeout: Duration::from_secs(2), ..Choices::default() }).await;
    let bought = |case| Case { bought: (2, 1), ..case };
    let for_good = slow_file("a slow body for good", PIKA).always().tried_again(2);
    let cases = vec![
        bought(slow_file("a slow body once", PIKA).tried_again(1)),
        bought(for_good.fails(Code::ProviderTimeout, Clip, &[Reused::Stills])),
    ];
    play(&shop, Clip, cases).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn stills_that_wait_in_the_queue_for_too_long_are_given_up_for_nothing(pg: PgPool) {
    let choices = Choices {
        poll_timeout: Duration::from_millis(400),
        queue_delay_ms: 60_000,
        routes: stills_of_a_queue(),
        ..Choices::default()
    };
    let shop = Shop::open_with(pg, choices).await;
    let detail = shop.finish(shop.click().await).await;
    let failure = detail.view.failure.as_ref().unwrap();
    assert_eq!((failure.code, failure.stage), (Code::ProviderTimeout, Some(Stills)), "{:#?}", detail.timeline);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.total, invoice.voided), (0, 2), "called off there before they were begun");
    assert_eq!(store::books(&shop.pg).await.paid, 0);
    assert!(detail.view.is_retryable());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_nobody_can_be_asked_about_is_counted_as_paid(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { poll_timeout: Duration::from_secs(1), ..Choices::default() }).await;
    let away = json!({"model": PIKA, "step": "status", "fault": "status", "status": 503});
    let case = Case::new("a status that is away for good", away, (2, 1)).always();
    let id = play_one(&shop, Clip, &case.fails(Code::ProviderTimeout, Clip, &[Reused::Stills])).await;
    let entries = store::entries(&shop.pg, store::clip_call(&shop.pg, id).await.id).await;
    assert!(entries.last().is_some_and(|(kind, _, assumed)| kind == "settle" && *assumed), "{entries:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_that_is_done_at_the_last_look_is_kept(pg: PgPool) {
    let choices = Choices {
        poll_interval: Duration::from_secs(3600),
        poll_timeout: Duration::from_millis(1),
        ..Choices::default()
    };
    let shop = Shop::open_with(pg, choices).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the job to park", async || store::job_state(&shop.pg, id).await == "parked").await;
    let request_id = store::clip_call(&shop.pg, id).await.request_id.unwrap();
    until("the clip", async || shop.clip_status(&request_id).await == "COMPLETED").await;
    shop.faults(json!([{"model": PIKA, "step": "status", "fault": "drop_answer"}])).await;
    shop.engine.call_reported(providers::Provider::Fal, None, &request_id, "00").await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}
