//! Both recipes with every model of the catalogue, from the click to the video; what they cost is what the simulator
//! charges by a price list of its own.

use domain::{GenerationState, Options, Recipe, Stage, StageState};
use engine::Routes;
use providers::ModelRef;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, fal, gemini, options, routes},
    store,
};

/// A video of this recipe along these routes.
async fn makes_a_video(pg: PgPool, recipe: Recipe, routes: Routes) {
    let names: Vec<String> =
        [Stage::Stills, Stage::Clip].map(|stage| routes.of(recipe, stage).first().unwrap().to_string()).to_vec();
    let shop = Shop::open_with(pg, Choices { routes, ..Choices::default() }).await;
    let options = Options { recipe, ..options() };
    let quoted = shop.engine.quote(shop.product, &options).await.unwrap();
    let id = shop.click_with(options).await;
    let detail = shop.finish(id).await;
    let view = &detail.view;
    assert_eq!(view.state, GenerationState::Completed, "{names:?}: {:?} {:#?}", view.failure, detail.timeline);
    assert_eq!(view.stills.len(), recipe.frames().len(), "{names:?}");
    assert!(view.stages.iter().all(|stage| stage.state == StageState::Done), "{names:?}: {:?}", view.stages);
    assert!(view.paid <= quoted.total, "{names:?}: {} was paid, {} was held", view.paid, quoted.total);
    let video = view.video.as_ref().unwrap();
    let asked_ms = u32::from(view.options.duration.get()) * 1000;
    assert!(video.duration_ms.abs_diff(asked_ms) <= 50, "{names:?}: {} ms", video.duration_ms);
    let source = &video.sources[0];
    assert!(source.height > source.width, "{names:?}: portrait stays portrait, {source:?}");
    let calls = store::calls(&shop.pg, id).await;
    assert_eq!(calls.len(), recipe.frames().len() + 1, "{names:?}");
    assert!(calls.iter().all(|call| call.state == "done"), "{names:?}");
    let invoice = shop.assert_books_closed().await;
    assert_eq!(invoice.endpoints.len(), calls.len(), "{names:?}");
    let told: Vec<_> = detail.timeline.iter().filter(|entry| entry.kind.as_str() == "billed_otherwise").collect();
    assert!(told.is_empty(), "{names:?}: our price is not what is charged: {told:#?}");
}

macro_rules! product_videos {
    ($($name:ident: $still:expr, $clip:expr;)+) => { $(
        #[sqlx::test(migrations = "../../migrations")]
        async fn $name(pg: PgPool) {
            let (still, clip): (ModelRef, ModelRef) = ($still, $clip);
            let routes = Routes { product_stills: vec![still], product_clip: vec![clip], ..routes() };
            makes_a_video(pg, Recipe::ProductVideo, routes).await;
        }
    )+ };
}

macro_rules! tryon_videos {
    ($($name:ident: $still:expr, $clip:expr;)+) => { $(
        #[sqlx::test(migrations = "../../migrations")]
        async fn $name(pg: PgPool) {
            let (still, clip): (ModelRef, ModelRef) = ($still, $clip);
            let routes = Routes { tryon_still: vec![still], tryon_clip: vec![clip], ..routes() };
            makes_a_video(pg, Recipe::TryonVideo, routes).await;
        }
    )+ };
}

product_videos! {
    gemini_nano_banana_and_pika: gemini("gemini-nano-banana-2.1"), fal("fal-ai/pika/v2.2/pikaframes");
    gemini_pro_and_veo: gemini("gemini-3-pro-image"), fal("fal-ai/veo3.1/fast/first-last-frame-to-video");
    nano_banana_on_fal_and_kling: fal("fal-ai/nano-banana/edit"), fal("fal-ai/kling-video/v3/standard/image-to-video");
    nano_banana_2_on_fal_and_wan: fal("fal-ai/nano-banana-2/edit"), fal("fal-ai/wan-flf2v");
    nano_banana_pro_on_fal_and_pika: fal("fal-ai/nano-banana-pro/edit"), fal("fal-ai/pika/v2.2/pikaframes");
    nano_banana_2_1_on_fal_and_pika: fal("google/nano-banana-2.1/edit"), fal("fal-ai/pika/v2.2/pikaframes");
}

tryon_videos! {
    fashn_and_stable_video: fal("fal-ai/fashn/tryon/v1.6"), fal("fal-ai/stable-video");
    kolors_and_pika: fal("fal-ai/kling/v1-5/kolors-virtual-try-on"), fal("fal-ai/pika/v2.2/image-to-video");
    nano_banana_and_kling: gemini("gemini-nano-banana-2.1"), fal("fal-ai/kling-video/v3/standard/image-to-video");
}
