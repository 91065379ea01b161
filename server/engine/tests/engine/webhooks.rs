//! What a provider tells by itself: it wakes and it names, it is never believed as a result.

use std::time::Duration;

use domain::{GenerationState, generation::EventKind as E};
use engine::CallToken;
use hmac::{Hmac, KeyInit as _, Mac as _};
use providers::Provider;
use serde_json::json;
use sha2::Sha256;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    crashes::lose_submit,
    shop::{CALLBACK_SECRET, Choices, Shop, count, until},
    store::{self, InboxRow},
};

const PIKA: &str = "fal-ai/pika";

/// The token as the documents say: the call, a point, half of its HMAC-SHA-256 in hex.
fn token(call: Uuid, secret: &str) -> CallToken {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(call.to_string().as_bytes());
    let text = hex::encode(mac.finalize().into_bytes());
    CallToken::from_address(&format!("{call}.{}", &text[..32]))
}

fn rare_looks() -> Choices {
    Choices { poll_interval: Duration::from_secs(3600), poll_timeout: Duration::from_secs(7200), ..Choices::default() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_report_wakes_the_parked_job(pg: PgPool) {
    let shop = Shop::open_with(pg, rare_looks()).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the job to park", async || store::job_state(&shop.pg, id).await == "parked").await;
    let call = store::clip_call(&shop.pg, id).await;
    let request_id = call.request_id.unwrap();
    until("the clip", async || shop.clip_status(&request_id).await == "COMPLETED").await;
    assert_eq!(worker.step().await.unwrap(), 0, "nobody told, nobody looks");

    // Reports that are not for this call change nothing.
    shop.engine.call_reported(Provider::Fal, None, "request-of-somebody-else", "00").await.unwrap();
    let forged = token(call.id, "some other secret");
    shop.engine.call_reported(Provider::Fal, Some(&forged), "request-made-up", "01").await.unwrap();
    assert_eq!(worker.step().await.unwrap(), 0);

    shop.engine.call_reported(Provider::Fal, None, &request_id, "02").await.unwrap();
    shop.engine.call_reported(Provider::Fal, Some(&token(call.id, CALLBACK_SECRET)), &request_id, "02").await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    shop.engine.call_reported(Provider::Fal, None, &request_id, "02").await.unwrap();
    assert_eq!(shop.worker().step().await.unwrap(), 0, "a late report is harmless");

    let row = |name: &str, call_id, deliveries| InboxRow { request_id: name.to_owned(), call_id, deliveries };
    let expected =
        [row("request-of-somebody-else", None, 1), row("request-made-up", None, 1), row(&request_id, Some(call.id), 3)];
    assert_eq!(store::inbox(&shop.pg).await, expected);
    assert_eq!(count(&detail, E::CallSubmitted), 1);
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_report_that_is_faster_than_the_answer_names_the_request(pg: PgPool) {
    let shop = Shop::open_with(pg, rare_looks()).await;
    // Taken and billed, then silence, then the connection breaks.
    shop.faults(json!([{"model": PIKA, "fault": "never", "seconds": 1}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the stills", async || shop.view(id).await.stills.len() == 2).await;
    let submitting = shop.step_aside();
    until("the bill", async || shop.invoice().await.clips() == 1).await;
    let request_id = shop.invoice().await.request_ids.pop().unwrap();
    let call = store::clip_call(&shop.pg, id).await;
    assert_eq!((call.state.as_str(), call.request_id.as_ref()), ("intent", None));

    let forged = token(call.id, "some other secret");
    shop.engine.call_reported(Provider::Fal, Some(&forged), "request-made-up", "01").await.unwrap();
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "intent");
    shop.engine.call_reported(Provider::Fal, Some(&token(call.id, CALLBACK_SECRET)), &request_id, "02").await.unwrap();
    let named = store::clip_call(&shop.pg, id).await;
    assert_eq!((named.state.as_str(), named.request_id.as_ref()), ("submitted", Some(&request_id)));

    assert_eq!(submitting.await.unwrap(), 1);
    let after = store::clip_call(&shop.pg, id).await;
    assert_eq!(after.state, "submitted", "the lost answer does not make it doubtful again");
    until("the clip", async || shop.clip_status(&request_id).await == "COMPLETED").await;
    shop.engine.call_reported(Provider::Fal, None, &request_id, "02").await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!((count(&detail, E::CallSubmitted), count(&detail, E::CallInDoubt)), (1, 0));
    assert_eq!(shop.assert_books_closed().await.clips(), 1, "bought once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_report_of_a_call_that_was_put_back_is_adopted(pg: PgPool) {
    let shop = Shop::open_with(pg, rare_looks()).await;
    let id = lose_submit(&shop).await;
    let request_id = shop.invoice().await.request_ids.pop().unwrap();
    let call = store::clip_call(&shop.pg, id).await;
    // The list was silent: the call is about to be sent again.
    store::plan_again(&shop.pg, call.id).await;
    let forged = token(call.id, "some other secret");
    shop.engine.call_reported(Provider::Fal, Some(&forged), &request_id, "01").await.unwrap();
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "planned");

    shop.engine.call_reported(Provider::Fal, Some(&token(call.id, CALLBACK_SECRET)), &request_id, "01").await.unwrap();
    let adopted = store::clip_call(&shop.pg, id).await;
    assert_eq!((adopted.state.as_str(), adopted.request_id.as_ref()), ("submitted", Some(&request_id)));
    until("the clip", async || shop.clip_status(&request_id).await == "COMPLETED").await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!(count(&detail, E::CallSubmitted), 1);
    assert_eq!(shop.assert_books_closed().await.clips(), 1, "bought once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_report_that_comes_while_the_call_is_sent_again_calls_the_second_off(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 600_000, ..rare_looks() }).await;
    let id = lose_submit(&shop).await;
    let first = shop.invoice().await.request_ids.pop().unwrap();
    let call = store::clip_call(&shop.pg, id).await;
    store::plan_again(&shop.pg, call.id).await;

    shop.faults(json!([{"model": PIKA, "step": "submit", "fault": "delay_ms", "ms": 700}])).await;
    let sending = shop.step_aside();
    until("the second submit", async || store::clip_call(&shop.pg, id).await.state == "intent").await;
    shop.engine.call_reported(Provider::Fal, Some(&token(call.id, CALLBACK_SECRET)), &first, "01").await.unwrap();
    sending.await.unwrap();
    let kept = store::clip_call(&shop.pg, id).await;
    assert_eq!((kept.state.as_str(), kept.request_id.as_ref()), ("submitted", Some(&first)));
    let invoice = shop.invoice().await;
    assert_eq!((invoice.clips(), invoice.voided), (1, 1), "{invoice:?}");
    assert!(invoice.request_ids.contains(&first));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_report_of_a_request_nobody_made_does_not_lose_the_one_that_was(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = lose_submit(&shop).await;
    let call = store::clip_call(&shop.pg, id).await;
    let made_up = Uuid::now_v7().to_string();
    shop.engine.call_reported(Provider::Fal, Some(&token(call.id, CALLBACK_SECRET)), &made_up, "01").await.unwrap();
    assert_eq!(store::clip_call(&shop.pg, id).await.request_id.as_ref(), Some(&made_up));
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let invoice = shop.assert_books_closed().await;
    assert_eq!(invoice.clips(), 1, "bought once");
    let named = store::clip_call(&shop.pg, id).await.request_id.unwrap();
    assert!(invoice.request_ids.contains(&named) && named != made_up);
}
