//! Going on with another model: before anything was paid or after a free failure, never otherwise, and never in silence.

use domain::{FailureCode, GenerationState, MicroUsd, generation::EventKind as E, models::ModelFigures};
use engine::{Error, Routes};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, count, fal, gemini, options, routes},
    store,
};

const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
const KLING: &str = "fal-ai/kling-video/v3/standard/image-to-video";
const GEMINI: &str = "gemini-nano-banana-2.1";
const BANANA: &str = "fal-ai/nano-banana-2/edit";

/// A second choice for both stages.
fn with_fallbacks() -> Choices {
    let routes = Routes {
        product_stills: vec![gemini(GEMINI), fal(BANANA)],
        product_clip: vec![fal(PIKA), fal(KLING)],
        ..routes()
    };
    Choices { routes, ..Choices::default() }
}

fn switches(detail: &domain::generation::GenerationDetail) -> Vec<String> {
    let entries = detail.timeline.iter().filter(|entry| entry.kind == E::RouteSwitched);
    entries.filter_map(|entry| entry.detail.clone()).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_model_that_is_down_is_replaced_after_its_tries(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    shop.faults(json!([{"model": PIKA, "step": "submit", "fault": "status", "status": 503, "times": 99}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    let told = switches(&detail);
    assert!(told.len() == 1 && told[0].starts_with(&format!("fal/{PIKA} → fal/{KLING}")), "{told:?}");
    assert_eq!(count(&detail, E::RetryScheduled), 2, "the first choice had its tries");
    let states = store::call_states(&shop.pg, id).await;
    assert_eq!(states[..2], ["clip/1 void", "clip/2 done"]);
    let told = detail.timeline.iter().find(|entry| entry.kind == E::RouteSwitched).unwrap();
    let price = store::clip_call(&shop.pg, id).await.cost_micro_usd;
    assert_eq!(told.amount.map(MicroUsd::micros), price, "what the other model costs");
    let figures = figures(&shop, PIKA).await.unwrap();
    assert_eq!((figures.calls, figures.failed, figures.judged), (1, 1, 0), "a model that is passed over has failed");
    let figures = self::figures(&shop, KLING).await.unwrap();
    assert_eq!((figures.calls, figures.failed, figures.judged, figures.published), (1, 0, 1, 1));
    assert_eq!(shop.assert_books_closed().await.clips(), 1);
}

async fn figures(shop: &Shop, id: &str) -> Option<ModelFigures> {
    let models = shop.engine.models().await.unwrap().models;
    models.into_iter().find(|model| model.id == id).unwrap().figures
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_stop_by_a_person_says_nothing_of_the_model(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 60_000, ..Choices::default() }).await;
    let worker = shop.worker();
    let id = shop.click().await;
    let submitted = async || store::clip_call(&shop.pg, id).await.state == "submitted";
    shop.work_until(&worker, "the clip to be made", submitted).await;
    let stills = figures(&shop, GEMINI).await.unwrap();
    assert_eq!((stills.calls, stills.judged), (2, 0), "nothing is known of them yet");
    shop.engine.cancel(shop.person, id).await.unwrap();
    assert_eq!(shop.finish(id).await.view.state, GenerationState::Cancelled);
    assert_eq!(figures(&shop, PIKA).await, None);
    let stills = figures(&shop, GEMINI).await.unwrap();
    assert_eq!((stills.judged, stills.published), (2, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_closed_account_is_left_at_once(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    shop.faults(json!([{"model": "gemini", "fault": "status", "status": 403, "times": 99}])).await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!((switches(&detail).len(), count(&detail, E::RetryScheduled)), (1, 0));
    let invoice = shop.assert_books_closed().await;
    assert_eq!(invoice.endpoints.iter().filter(|endpoint| *endpoint == BANANA).count(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_free_failure_of_the_last_try_switches(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    shop.faults(json!([{"model": PIKA, "fault": "completed_with_error", "times": 3}])).await;
    let detail = shop.finish(shop.click().await).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:#?}", detail.timeline);
    assert_eq!(switches(&detail).len(), 1);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.clips(), invoice.voided), (1, 3));
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_money_was_spent_nothing_is_switched(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    // The first still is bought; the second finds the door closed.
    shop.faults(json!([
        {"model": "gemini", "fault": "delay_ms", "ms": 1},
        {"model": "gemini", "fault": "status", "status": 403, "times": 99},
    ]))
    .await;
    let id = shop.click().await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Failed);
    assert!(switches(&detail).is_empty(), "{:#?}", detail.timeline);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (1, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refusal_of_the_content_is_no_reason_to_ask_somebody_else(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    shop.faults(json!([{"model": PIKA, "step": "run", "fault": "moderation"}])).await;
    let detail = shop.finish(shop.click().await).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ContentRefused);
    assert!(switches(&detail).is_empty());
    shop.assert_books_closed().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_model_without_a_price_is_passed_over_before_the_click(pg: PgPool) {
    let choices = with_fallbacks();
    let unknown = Routes { product_clip: vec![fal("fal-ai/gone"), fal(KLING)], ..choices.routes };
    let shop = Shop::open_with(pg, Choices { routes: unknown, ..Choices::default() }).await;
    let quote = shop.engine.quote(shop.product, &options()).await.unwrap();
    assert_eq!(quote.lines.last().unwrap().model, KLING);
    let detail = shop.finish(shop.click().await).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let told = switches(&detail);
    assert!(told.len() == 1 && told[0].starts_with("fal/fal-ai/gone → "), "{told:?}");
    shop.assert_books_closed().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_any_price_there_is_no_call(pg: PgPool) {
    let nothing = Routes { product_clip: vec![fal("fal-ai/gone")], ..routes() };
    let shop = Shop::open_with(pg, Choices { routes: nothing, ..Choices::default() }).await;
    let refused = shop.engine.generate(shop.person, shop.product, options(), crate::shop::key()).await.unwrap_err();
    assert!(matches!(refused, Error::NoPrice(model) if model == "fal/fal-ai/gone"));
    assert_eq!(shop.invoice().await.total, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_quote_says_what_dearer_fallbacks_would_make_of_it(pg: PgPool) {
    let shop = Shop::open_with(pg, with_fallbacks()).await;
    let quote = shop.engine.quote(shop.product, &options()).await.unwrap();
    let priced = async |routes| {
        let other = shop.other_process_with(&Choices { routes, ..Choices::default() }).await;
        other.quote(shop.product, &options()).await.unwrap()
    };
    let dearest = Routes { product_stills: vec![fal(BANANA)], product_clip: vec![fal(KLING)], ..routes() };
    let dearest = priced(dearest).await;
    assert!(dearest.total > quote.total, "{dearest:#?}");
    assert_eq!(quote.most, Some(dearest.total), "each stage by the dearest of its route, each still of it");
    assert_eq!(dearest.most, None, "nothing else can step in");
    let cheaper = Routes {
        product_stills: vec![fal(BANANA), gemini(GEMINI)],
        product_clip: vec![fal(KLING), fal(PIKA)],
        ..routes()
    };
    assert_eq!(priced(cheaper).await.most, None, "what steps in costs less");
    let gone = Routes { product_clip: vec![fal(PIKA), fal("fal-ai/gone")], ..routes() };
    assert_eq!(priced(gone).await.most, None, "what has no price is never bought");
    let held = shop.view(shop.click().await).await.held;
    assert_eq!(held, quote.total, "nothing is held for it");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_dearer_model_keeps_to_the_money_of_the_day(pg: PgPool) {
    let choices = with_fallbacks();
    let shop = Shop::open_with(pg, Choices { daily_spend: MicroUsd::new(280_000), ..choices }).await;
    // The click fits the day; with Kling instead of Pika it would not.
    shop.faults(json!([{"model": PIKA, "step": "submit", "fault": "status", "status": 503, "times": 99}])).await;
    let detail = shop.finish(shop.click().await).await;
    assert_eq!(detail.view.failure.as_ref().unwrap().code, FailureCode::ProviderUnavailable);
    assert!(switches(&detail).is_empty());
    shop.assert_books_closed().await;
}
