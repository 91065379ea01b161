//! Retry by a person: a new generation that buys only what is missing.

use domain::{
    FailureCode, GenerationId, GenerationState, MicroUsd, RequestKey, StageState,
    cost::Reused,
    generation::{EventKind as E, GenerationDetail},
    user::Email,
};
use engine::{ClickName, Error};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    shop::{Choices, PASSWORD, Shop, count, fault, key, options},
    store,
};

const PIKA: &str = "fal-ai/pika";
const CLIP_PRICE: i64 = 200_000;
/// Whatever it costs.
const ANY_PRICE: Option<MicroUsd> = None;

fn clip_refused() -> Value {
    json!({"model": PIKA, "step": "run", "fault": "moderation"})
}

/// A generation that ends without a video.
async fn fail(shop: &Shop, faults: Value) -> GenerationId {
    shop.faults(faults).await;
    let id = shop.click().await;
    assert_eq!(shop.finish(id).await.view.state, GenerationState::Failed);
    id
}

async fn retry(shop: &Shop, id: GenerationId) -> GenerationId {
    shop.retry(id).await.unwrap()
}

/// The price of a retry, and the stages it takes over.
async fn offer(shop: &Shop, id: GenerationId) -> (i64, Vec<Reused>) {
    let offer = shop.engine.retry_offer(id).await.unwrap();
    assert_eq!(offer.quote.lines.iter().map(|line| line.amount).sum::<MicroUsd>(), offer.quote.total);
    (offer.quote.total.micros(), offer.reused)
}

async fn full_price(shop: &Shop) -> i64 {
    shop.engine.quote(shop.product, &options()).await.unwrap().total.micros()
}

fn details(detail: &GenerationDetail, kind: E) -> Vec<String> {
    detail.timeline.iter().filter(|entry| entry.kind == kind).filter_map(|entry| entry.detail.clone()).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_failed_clip_is_all_that_is_bought_again(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let failed = fail(&shop, json!([clip_refused()])).await;
    let paid_before = shop.invoice().await.total;
    assert_eq!(shop.engine.costs().await.unwrap().wasted_month.micros(), paid_before);
    assert_eq!(offer(&shop, failed).await, (CLIP_PRICE, vec![Reused::Stills]));

    let id = retry(&shop, failed).await;
    let view = shop.view(id).await;
    assert_eq!((view.state, view.progress, view.held.micros()), (GenerationState::Queued, 33, CLIP_PRICE));
    assert_eq!((view.stages[0].state, view.stages[0].started_at), (StageState::Done, None));
    let detail = shop.finish(id).await;

    assert_eq!((detail.view.state, detail.view.options), (GenerationState::Completed, options()));
    assert_eq!(store::call_states(&shop.pg, id).await, ["clip/1 done"]);
    assert_eq!(store::stills(&shop.pg, id).await, store::stills(&shop.pg, failed).await, "the same objects");
    let pictures = |detail: &GenerationDetail| detail.view.stills.iter().map(|still| still.picture.clone()).collect();
    let before = shop.engine.generation(failed).await.unwrap();
    let (old, new): (Vec<_>, Vec<_>) = (pictures(&before), pictures(&detail));
    assert_eq!(old, new);
    let costs: Vec<i64> = detail.view.stages.iter().map(|stage| stage.cost.micros()).collect();
    assert_eq!(costs, [0, CLIP_PRICE, 0, 0]);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 1, 1));
    let report = shop.engine.costs().await.unwrap();
    assert_eq!(report.wasted_month, MicroUsd::ZERO, "the stills are in a video now");
    let still_calls: u32 = report.by_stage.iter().filter(|share| share.key == "stills").map(|share| share.calls).sum();
    assert_eq!(still_calls, 2);

    assert_eq!((detail.view.retry_of, before.view.retried_as), (Some(failed), Some(id)));
    assert_eq!(details(&detail, E::RetriedFrom), [failed.to_string()]);
    assert_eq!(details(&before, E::RetriedAs), [id.to_string()]);
    assert_eq!((count(&detail, E::Requested), count(&detail, E::StageReused)), (1, 1));
    let shown = shop.engine.shop_product("linen-shirt").await.unwrap().video.unwrap();
    assert_eq!(shown.generation_id, id);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_still_that_was_paid_is_kept_although_the_other_failed(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let failed = fail(&shop, json!([fault("gemini", "moderation", 1)])).await;
    let kept = store::stills(&shop.pg, failed).await;
    assert_eq!(kept.len(), 1, "the other one is there");
    let still = (full_price(&shop).await - CLIP_PRICE) / 2;
    assert_eq!(offer(&shop, failed).await, (still + CLIP_PRICE, vec![Reused::OneStill]));
    let id = retry(&shop, failed).await;
    assert_eq!(shop.view(id).await.stages[0].state, StageState::Waiting);
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!(store::call_states(&shop.pg, id).await.len(), 2, "one still and the clip");
    assert!(store::stills(&shop.pg, id).await.contains(&kept[0]), "the same object");
    assert_eq!((count(&detail, E::StillReused), count(&detail, E::StageReused)), (1, 0));
    assert_eq!(shop.assert_books_closed().await.stills(), 3);
    let refused = store::calls(&shop.pg, failed).await.into_iter().find(|call| call.state == "failed").unwrap();
    let wasted = shop.engine.costs().await.unwrap().wasted_month.micros();
    assert_eq!(Some(wasted), refused.cost_micro_usd, "only what the refusal cost");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retry_never_costs_more_than_was_shown(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let failed = fail(&shop, json!([clip_refused()])).await;
    let written = store::written(&shop.pg).await;
    let shown = MicroUsd::new(CLIP_PRICE - 1);
    let refused = shop.engine.retry(shop.person, failed, key(), Some(shown)).await.unwrap_err();
    assert!(matches!(refused, Error::PriceChanged(price) if price.micros() == CLIP_PRICE), "{refused}");
    assert_eq!(store::written(&shop.pg).await, written);
    assert!(shop.engine.retry(shop.person, failed, key(), Some(MicroUsd::new(CLIP_PRICE))).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn people_who_retry_at_once_get_one_generation(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let email = Email::parse("second@shop.example").unwrap();
    let colleague = shop.engine.create_user(&email, "Jun", PASSWORD).await.unwrap();
    let failed = fail(&shop, json!([clip_refused()])).await;
    let (one, two) = (key(), key());
    let press = |by, key: RequestKey| shop.engine.retry(by, failed, key, ANY_PRICE);
    let (a, b, c, d) = tokio::join!(
        press(shop.person, one),
        press(shop.person, one),
        press(shop.person, two),
        press(colleague, key())
    );
    let id = a.unwrap();
    assert_eq!([b.unwrap(), c.unwrap(), d.unwrap()], [id; 3]);
    let books = store::books(&shop.pg).await;
    assert_eq!((books.open_holds, books.held, books.usage_held), (1, CLIP_PRICE, CLIP_PRICE), "{books:?}");
    assert_eq!(shop.engine.limits().await.unwrap().generations, 2);
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!(count(&shop.engine.generation(failed).await.unwrap(), E::RetriedAs), 1);
    // The same once it gave a video.
    assert_eq!(press(shop.person, one).await.unwrap(), id);
    assert_eq!(press(colleague, key()).await.unwrap(), id);
    assert!(matches!(shop.engine.retry_offer(failed).await, Err(Error::Conflict(_))), "nothing is left to buy");
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_names_one_request_however_long_ago(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let name = |key, request: u8| ClickName { key, request_sha256: Some([request; 32]) };
    let (first, second) = (key(), key());
    let click = |request| shop.engine.generate(shop.person, shop.product, options(), name(first, request));
    shop.faults(json!([clip_refused()])).await;
    let made = click(1).await.unwrap();
    assert_eq!(click(1).await.unwrap(), made);
    assert!(matches!(click(2).await, Err(Error::KeyReused)));
    let unnamed = shop.engine.generate(shop.person, shop.product, options(), first).await;
    assert_eq!(unnamed.unwrap(), made, "a key that was made for one click says nothing of what was asked");
    assert_eq!(shop.finish(made).await.view.state, GenerationState::Failed);
    let retry = |name: ClickName| shop.engine.retry(shop.person, made, name, ANY_PRICE);
    assert!(matches!(retry(name(first, 3)).await, Err(Error::KeyReused)));
    let again = retry(name(second, 4)).await.unwrap();
    assert_ne!(again, made);
    assert_eq!(retry(name(second, 4)).await.unwrap(), again);
    assert!(matches!(retry(name(second, 5)).await, Err(Error::KeyReused)));
    shop.finish(again).await;
    assert_eq!(retry(name(second, 4)).await.unwrap(), again, "its own, although there is nothing left to retry");
    assert_eq!(shop.engine.limits().await.unwrap().generations, 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_or_gave_a_video_is_not_retried(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    let written = store::written(&shop.pg).await;
    let refused = async |id| {
        let (retry, offer) = (shop.retry(id).await, shop.engine.retry_offer(id).await);
        (retry.unwrap_err(), offer.unwrap_err())
    };
    assert!(matches!(refused(id).await, (Error::Conflict(_), Error::Conflict(_))));
    assert_eq!(store::written(&shop.pg).await, written);
    shop.finish(id).await;
    let written = store::written(&shop.pg).await;
    assert!(matches!(refused(id).await, (Error::Conflict(_), Error::Conflict(_))));
    assert_eq!(store::written(&shop.pg).await, written);
    let nobody = GenerationId::from_uuid(uuid::Uuid::now_v7());
    assert!(matches!(refused(nobody).await, (Error::NotFound(_), Error::NotFound(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_still_that_is_gone_is_bought_again_and_the_price_says_so(pg: PgPool) {
    let mut shop = Shop::open(pg).await;
    let failed = fail(&shop, json!([clip_refused()])).await;
    shop.stop_objects().await;
    let away = shop.engine.retry_offer(failed).await.unwrap_err();
    assert!(matches!(away, Error::Unavailable { .. }), "no price is better than a wrong one: {away}");
    shop.start_objects().await;
    assert_eq!(offer(&shop, failed).await.0, CLIP_PRICE);

    let (_, last) = store::stills(&shop.pg, failed).await.pop().unwrap();
    shop.engine.store().delete(&storage::Key::parse(&last).unwrap()).await.unwrap();
    let still = (full_price(&shop).await - CLIP_PRICE) / 2;
    assert_eq!(offer(&shop, failed).await, (still + CLIP_PRICE, vec![Reused::OneStill]));
    let detail = shop.finish(retry(&shop, failed).await).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (3, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn stills_of_another_photo_are_not_good_any_more(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let failed = fail(&shop, json!([clip_refused()])).await;
    store::replace_photo(&shop.pg, shop.product).await;
    assert_eq!(offer(&shop, failed).await, (full_price(&shop).await, vec![]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_stopped_generation_goes_on_from_what_it_had(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let worker = shop.worker();
    // Before anything was bought.
    let first = shop.click().await;
    shop.engine.cancel(shop.person, first).await.unwrap();
    assert_eq!(offer(&shop, first).await, (full_price(&shop).await, vec![]));
    // With both stills.
    let second = retry(&shop, first).await;
    shop.work_until(&worker, "the stills", async || shop.view(second).await.state == GenerationState::GeneratingVideo)
        .await;
    shop.engine.cancel(shop.person, second).await.unwrap();
    assert_eq!(shop.finish(second).await.view.state, GenerationState::Cancelled);
    assert_eq!(offer(&shop, second).await, (CLIP_PRICE, vec![Reused::Stills]));
    // With the clip: what is left is free.
    let third = retry(&shop, second).await;
    shop.work_until(&worker, "the clip", async || store::clip_call(&shop.pg, third).await.state == "done").await;
    shop.engine.cancel(shop.person, third).await.unwrap();
    assert_eq!(shop.finish(third).await.view.state, GenerationState::Cancelled);
    assert_eq!(offer(&shop, third).await, (0, vec![Reused::Stills, Reused::Clip]));

    let last = retry(&shop, third).await;
    assert_eq!(shop.view(last).await.progress, 66);
    // A retry that took a clip over can be stopped and retried as well.
    shop.engine.cancel(shop.person, last).await.unwrap();
    assert_eq!(offer(&shop, last).await, (0, vec![Reused::Stills, Reused::Clip]));
    let last = retry(&shop, last).await;
    let detail = shop.finish(last).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!((detail.calls.len(), detail.view.paid), (0, MicroUsd::ZERO));
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1), "everything was bought once");
    assert_eq!(shop.engine.costs().await.unwrap().wasted_month, MicroUsd::ZERO);
    let shown = shop.engine.shop_product("linen-shirt").await.unwrap().video.unwrap();
    assert_eq!(shown.generation_id, last);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retry_that_fails_can_be_retried(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let first = fail(&shop, json!([clip_refused(), clip_refused(), fault(PIKA, "corrupt_clip", 1)])).await;
    let second = retry(&shop, first).await;
    assert_eq!(shop.finish(second).await.view.state, GenerationState::Failed);
    let third = retry(&shop, second).await;
    let detail = shop.finish(third).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ClipCorrupt);
    // A damaged clip is paid and stored, and not worth another try.
    assert_eq!(offer(&shop, third).await, (CLIP_PRICE, vec![Reused::Stills]));
    // The first may be tried again too: its retry gave nothing.
    assert_eq!(offer(&shop, first).await, (CLIP_PRICE, vec![Reused::Stills]));
    let last = retry(&shop, third).await;
    let detail = shop.finish(last).await;
    assert_eq!((detail.view.state, detail.view.retry_of), (GenerationState::Completed, Some(third)));
    assert_eq!(store::stills(&shop.pg, last).await, store::stills(&shop.pg, first).await);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 2, 2));
    let wasted = shop.engine.costs().await.unwrap().wasted_month.micros();
    assert_eq!(wasted, CLIP_PRICE, "the damaged clip");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_limits_of_the_day_hold_for_retries(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { daily_generations: 1, ..Choices::default() }).await;
    let failed = fail(&shop, json!([clip_refused()])).await;
    let limits = shop.engine.retry_offer(failed).await.unwrap().quote.limits;
    assert_eq!((limits.generations, limits.generations_limit), (1, 1));
    let (written, books) = (store::written(&shop.pg).await, store::books(&shop.pg).await);
    let refused = shop.retry(failed).await.unwrap_err();
    assert!(matches!(refused, Error::LimitReached(_)), "{refused}");
    assert_eq!((store::written(&shop.pg).await, store::books(&shop.pg).await), (written, books));
    assert_eq!(shop.view(failed).await.retried_as, None);
}
