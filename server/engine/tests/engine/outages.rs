//! The object store is away in the middle of the work.

use domain::{FailureCode, GenerationState, generation::EventKind as E};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::{
    shop::{Choices, Shop, count, until},
    store,
};

/// Starts a generation whose stills are paid for while there is no store to put them.
async fn pay_without_store(shop: &mut Shop) -> (domain::GenerationId, JoinHandle<usize>) {
    shop.faults(json!([{"model": "gemini", "fault": "delay_ms", "ms": 400, "times": 2}])).await;
    let id = shop.click().await;
    let working = shop.step_aside();
    until("both calls", async || {
        store::calls(&shop.pg, id).await.iter().filter(|call| call.state == "intent").count() == 2
    })
    .await;
    shop.stop_objects().await;
    (id, working)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_paid_is_stored_when_the_store_is_back(pg: PgPool) {
    let mut shop = Shop::open(pg).await;
    let (id, working) = pay_without_store(&mut shop).await;
    assert_eq!(working.await.unwrap(), 1);
    assert_eq!(store::job_state(&shop.pg, id).await, "retrying");
    let waiting = shop.view(id).await;
    assert_eq!((waiting.state, waiting.attempt.number), (GenerationState::GeneratingImages, 1));

    // More tries than there are attempts: the job waits, and waiting costs nothing.
    let worker = shop.worker();
    for _ in 0..5 {
        assert_eq!(worker.step().await.unwrap(), 1);
    }
    assert_eq!(shop.view(id).await.attempt.number, 1);
    shop.start_objects().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let retry = detail.timeline.iter().find(|entry| entry.kind == E::RetryScheduled).unwrap();
    assert_eq!(retry.failure, Some(FailureCode::StorageUnavailable));
    assert_eq!(count(&detail, E::RetryScheduled), 1, "one outage is told once");
    assert_eq!(count(&detail, E::CallInDoubt), 0);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1), "nothing was bought twice");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_store_that_stays_away_ends_it_with_what_was_really_paid(pg: PgPool) {
    let choices = Choices { job_timeout: std::time::Duration::from_secs(6), ..Choices::default() };
    let mut shop = Shop::open_with(pg, choices).await;
    let (id, working) = pay_without_store(&mut shop).await;
    working.await.unwrap();
    let detail = shop.finish(id).await;
    let failure = detail.view.failure.as_ref().unwrap();
    assert_eq!((detail.view.state, failure.code), (GenerationState::Failed, FailureCode::StorageUnavailable));
    assert_eq!(store::call_states(&shop.pg, id).await, ["clip/1 void", "still_end/1 done", "still_start/1 done"]);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 0));
    assert_eq!(detail.view.paid.micros(), invoice.total);
}
