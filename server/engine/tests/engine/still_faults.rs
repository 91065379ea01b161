//! What happens when the maker of stills refuses, fails, or its answer is lost.

use domain::{
    FailureCode, GenerationState, Stage, event_detail::ScheduledTry, generation::EventKind as E, notice::NoticeBody,
};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{Shop, count, fault},
    store,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_busy_provider_is_asked_again_and_paid_once(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "status", "status": 429}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the second attempt", async || shop.view(id).await.attempt.number == 2).await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let retry = detail.timeline.iter().find(|entry| entry.kind == E::RetryScheduled).unwrap();
    assert_eq!((retry.failure, retry.stage), (Some(FailureCode::ProviderBusy), Some(Stage::Stills)));
    let next = ScheduledTry::parse(retry.detail.as_ref().unwrap()).unwrap();
    assert_eq!((next.number, next.of), (2, 3), "{next:?}");
    assert!(next.reason.starts_with("HTTP 429"), "{next:?}");
    assert_eq!(count(&detail, E::RetryScheduled), 1);
    let states = store::call_states(&shop.pg, id).await;
    assert_eq!(states, ["clip/1 done", "still_end/1 done", "still_start/1 done"]);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_provider_that_stays_broken_costs_nothing(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "status", "status": 500, "times": 6}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    let failure = detail.view.failure.as_ref().unwrap();
    assert_eq!((detail.view.state, failure.code), (GenerationState::Failed, FailureCode::ProviderUnavailable));
    assert_eq!(failure.stage, Some(Stage::Stills));
    assert_eq!((detail.view.attempt.number, detail.view.attempt.of), (3, 3));
    assert_eq!(count(&detail, E::RetryScheduled), 2);
    let calls = store::calls(&shop.pg, id).await;
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!((call.state.as_str(), call.cost_micro_usd), ("void", None));
        let kinds: Vec<_> = store::entries(&shop.pg, call.id).await.into_iter().map(|entry| entry.0).collect();
        assert_eq!(kinds, ["hold", "void"]);
    }
    assert_eq!(shop.assert_books_closed().await.total, 0);
    let bell = shop.engine.bell(shop.person).await.unwrap();
    let told = &bell.notices.first().unwrap().body;
    assert!(
        matches!(told, NoticeBody::GenerationFailed { failure, cost, .. }
            if *failure == FailureCode::ProviderUnavailable && cost.micros() == 0),
        "{told:?}"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_still_is_charged_for_its_tokens(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault("gemini", "moderation", 1)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Failed);
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ContentRefused);
    assert_eq!(count(&detail, E::RetryScheduled), 0, "the same request would be refused again");
    let shop_bill = shop.invoice().await;
    let calls = store::calls(&shop.pg, id).await;
    let refused = calls.iter().find(|call| call.state == "failed").unwrap();
    assert!(refused.cost_micro_usd.unwrap() > 0);
    let named_on_the_bill = refused.request_id.as_ref().is_some_and(|id| shop_bill.request_ids.contains(id));
    assert!(named_on_the_bill, "{refused:?} {shop_bill:?}");
    assert_eq!(calls.iter().filter(|call| call.state == "done").count(), 1, "the other one is kept: it is paid");
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "void");
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), detail.view.paid.micros()), (2, invoice.total));
    let report = shop.engine.costs().await.unwrap();
    assert_eq!((report.wasted_month.micros(), report.average_per_video), (invoice.total, None));
}

#[sqlx::test(migrations = "../../migrations")]
async fn lost_answers_are_in_doubt_and_made_again(pg: PgPool) {
    let shop = Shop::open(pg).await;
    // One of the two is cut off, the other is answered with nonsense: both were billed.
    shop.faults(json!([fault("gemini", "drop_answer", 1), fault("gemini", "garbage", 1)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let states = store::call_states(&shop.pg, id).await;
    let expected =
        ["clip/1 done", "still_end/1 in_doubt", "still_end/2 done", "still_start/1 in_doubt", "still_start/2 done"];
    assert_eq!(states, expected);
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::CallRepeated)), (2, 2));
    for call in store::calls(&shop.pg, id).await.iter().filter(|call| call.state == "in_doubt") {
        let entries = store::entries(&shop.pg, call.id).await;
        let assumed = entries.iter().find(|entry| entry.0 == "settle").unwrap();
        assert_eq!((assumed.1, assumed.2), (call.cost_micro_usd.unwrap(), true));
    }
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (4, 1), "the invoice shows every still twice, and so do we");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_still_that_is_lost_again_and_again_ends_with_what_it_may_have_cost(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault("gemini", "drop_answer", 20)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Failed);
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::CallInDoubt);
    let books = store::books(&shop.pg).await;
    assert_eq!((books.open_holds, books.usage_held, books.usage_paid), (0, 0, books.paid));
    let calls = store::calls(&shop.pg, id).await;
    let sent = calls.iter().filter(|call| call.state == "in_doubt").count();
    assert_eq!(shop.invoice().await.stills(), sent, "every accepted request is in the books");
    assert!(sent <= 6, "asked {sent} times");
    let assumed: i64 = calls.iter().filter_map(|call| call.cost_micro_usd).sum();
    assert_eq!((books.paid, detail.view.paid.micros()), (assumed, assumed));
    assert!(assumed >= shop.invoice().await.total, "never less than was charged");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_lost_answer_counts_as_a_picture_also_when_the_same_is_refused_afterwards(pg: PgPool) {
    let shop = Shop::open(pg).await;
    // Both stills are made and billed, nobody hears of it; made again, both are refused.
    let refusal = json!({"model": "gemini", "fault": "moderation", "nth": 3, "times": 2});
    shop.faults(json!([refusal, fault("gemini", "drop_answer", 2)])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ContentRefused);
    let (mut refused, mut assumed) = (0, 0);
    for call in store::calls(&shop.pg, id).await {
        for (kind, amount, is_assumed) in store::entries(&shop.pg, call.id).await {
            if kind != "settle" {
                continue;
            }
            if is_assumed {
                assumed += 1;
                assert_eq!(amount, call.estimate_micro_usd, "as much as it may have cost");
            } else {
                refused += 1;
                assert!(amount < call.estimate_micro_usd);
            }
        }
    }
    assert_eq!((refused, assumed), (2, 2));
    assert!(detail.view.paid.micros() >= shop.invoice().await.total, "never less than the bill");
}
