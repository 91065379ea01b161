//! Videos of uploaded stills, many clicks in one transaction, answers that are kept with them, and which video is shown.

use domain::{GenerationState, MicroUsd, Options, RequestKey, Stage, StageState, TryonImageId};
use engine::{Answered, Claimed, Error, ImageClick, KeptAnswer};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    api_store,
    shop::{Choices, Shop, key, new_product, options, until},
    store,
};

fn told(id: domain::GenerationId) -> KeptAnswer {
    KeptAnswer { status: 202, location: None, body: id.to_string() }
}

fn click(shop: &Shop, image: TryonImageId, key: &str, request: u8) -> ImageClick {
    let caller = Uuid::from_u128(7);
    let mut key_sha256 = [0; 32];
    key_sha256.iter_mut().zip(key.bytes()).for_each(|(place, byte)| *place = byte);
    ImageClick {
        by: shop.person,
        image,
        options: options(),
        key: RequestKey::from_uuid(Uuid::new_v5(&caller, key.as_bytes())),
        claim: engine::AnswerClaim { caller, key_sha256, request_sha256: [request; 32] },
        answer: told,
    }
}

async fn upload(shop: &Shop) -> TryonImageId {
    let photo = new_product("worn", "", "").photos.remove(0).bytes;
    shop.engine.add_tryon_image(shop.person, shop.product, photo).await.unwrap().id
}

fn body(answered: &Result<Answered, Error>) -> String {
    answered.as_ref().unwrap().answer.body.clone()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_video_of_an_uploaded_still_buys_its_clip_only(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let image = upload(&shop).await;
    let answered = shop.engine.generate_from_images(&[click(&shop, image, "a", 1)]).await;
    let id = body(&answered[0]).parse().unwrap();
    let begun = shop.view(id).await;
    assert_eq!((begun.progress, begun.stills.len()), (33, 1), "{begun:?}");
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "{:?}", detail.view.failure);
    assert_eq!(detail.calls.len(), 1, "{:?}", detail.calls);
    let stills = detail.view.stages.iter().find(|stage| stage.stage == Stage::Stills).unwrap();
    assert_eq!((stills.state, stills.cost), (StageState::Done, MicroUsd::ZERO));
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (0, 1));
    let swept = shop.engine.retention().await.unwrap().sweep(false).await.unwrap();
    assert!(swept.missing.is_empty() && swept.orphans.is_empty(), "{swept:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn clicks_that_come_together_are_each_told_their_own(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { daily_generations: 2, ..Choices::default() }).await;
    let image = upload(&shop).await;
    let nobody = TryonImageId::from_uuid(Uuid::now_v7());
    let together = [
        click(&shop, image, "a", 1),
        click(&shop, image, "a", 1),
        click(&shop, image, "a", 2),
        click(&shop, nobody, "b", 1),
        click(&shop, image, "c", 1),
        click(&shop, image, "d", 1),
        click(&shop, nobody, "b", 1),
        click(&shop, image, "d", 1),
    ];
    let answered = shop.engine.generate_from_images(&together).await;
    assert_eq!(body(&answered[0]), body(&answered[1]), "the same request is told the same");
    assert!(answered[1].as_ref().unwrap().is_repeated && !answered[0].as_ref().unwrap().is_repeated);
    assert!(matches!(answered[2], Err(Error::KeyReused)));
    assert!(matches!(answered[3], Err(Error::NotFound("try-on image"))));
    assert_ne!(body(&answered[4]), body(&answered[0]));
    assert!(matches!(&answered[5], Err(Error::LimitReached(limits)) if limits.generations == 2));
    assert!(matches!(answered[6], Err(Error::NotFound("try-on image"))), "the same, whatever it is");
    assert!(matches!(&answered[7], Err(Error::LimitReached(limits)) if limits.generations == 2));
    let again = shop.engine.generate_from_images(&together[..1]).await;
    assert_eq!(body(&again[0]), body(&answered[0]));
    let other = shop.other_process().await;
    let elsewhere = other.generate_from_images(&[click(&shop, image, "a", 2)]).await;
    assert!(matches!(elsewhere[0], Err(Error::KeyReused)), "any process knows");
    let limits = shop.engine.limits().await.unwrap();
    assert_eq!(limits.generations, 2);
    let click_too = shop.engine.generate(shop.person, shop.product, Options::default(), key()).await;
    assert!(matches!(click_too, Err(Error::LimitReached(_))), "the desk counts the same");
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_of_its_videos_is_shown_or_none(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let image = upload(&shop).await;
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let answered = shop.engine.generate_from_images(&[click(&shop, image, name, 1)]).await;
        let id = body(&answered[0]).parse().unwrap();
        shop.finish(id).await;
        ids.push(id);
    }
    let shown = async || shop.engine.product(shop.product).await.unwrap().video.map(|video| video.generation_id);
    assert_eq!(shown().await, Some(ids[1]), "the newest shows itself");
    shop.engine.publish(shop.person, ids[0]).await.unwrap();
    assert_eq!(shown().await, Some(ids[0]));
    assert!(matches!(shop.engine.unpublish(shop.person, ids[1]).await, Err(Error::Conflict(_))));
    shop.engine.unpublish(shop.person, ids[0]).await.unwrap();
    assert_eq!(shown().await, None);
    let unpublished: i64 = sqlx::query_scalar("select count(*) from videos where unpublished_at is not null")
        .fetch_one(&shop.pg)
        .await
        .unwrap();
    assert_eq!(unpublished, 2, "both are kept as long as any that nothing points to");
    let video = shop.view(ids[0]).await.video.unwrap();
    assert!(!shop.engine.video(video.id).await.unwrap().is_published);
    let failed = shop.click().await;
    assert!(matches!(shop.engine.publish(shop.person, failed).await, Err(Error::Conflict(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_of_long_ago_names_the_same_request_still(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let image = upload(&shop).await;
    let first = shop.engine.generate_from_images(&[click(&shop, image, "a", 1)]).await;
    api_store::forget_answers(&shop.pg).await;
    let other = shop.engine.generate_from_images(&[click(&shop, image, "a", 2)]).await;
    assert!(matches!(other[0], Err(Error::KeyReused)), "{:?}", other[0]);
    let again = shop.engine.generate_from_images(&[click(&shop, image, "a", 1)]).await;
    assert_eq!(body(&again[0]), body(&first[0]));
    assert_eq!(shop.engine.limits().await.unwrap().generations, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_request_that_was_taken_for_dead_neither_answers_nor_lets_go(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let claim = click(&shop, TryonImageId::from_uuid(Uuid::now_v7()), "a", 1).claim;
    let claimed = async || shop.engine.claim_answer(&claim).await.unwrap();
    let Claimed::Work(slow) = claimed().await else { panic!("the key is free") };
    api_store::age_claims(&shop.pg, 50).await;
    assert_eq!(claimed().await, Claimed::AtWork);
    assert!(shop.engine.renew_claim(&slow).await.unwrap(), "it is at work");
    api_store::age_claims(&shop.pg, 50).await;
    assert_eq!(claimed().await, Claimed::AtWork, "as long as it says so");
    api_store::age_claims(&shop.pg, 50).await;
    let Claimed::Work(next) = claimed().await else { panic!("nobody was heard of for too long") };
    assert!(!shop.engine.renew_claim(&slow).await.unwrap());
    shop.engine.forget_answer(&slow).await.unwrap();
    let answer = |body: &str| KeptAnswer { status: 201, location: None, body: body.to_owned() };
    assert!(!shop.engine.keep_answer(&slow, &answer("slow")).await.unwrap());
    assert_eq!(claimed().await, Claimed::AtWork, "the next one holds the key");
    assert!(shop.engine.keep_answer(&next, &answer("next")).await.unwrap());
    assert_eq!(claimed().await, Claimed::Known(answer("next")));
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_shows_a_video_holds_the_product_before_its_videos(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let first = shop.click().await;
    let shown = shop.finish(first).await.view.video.unwrap().id;
    let next = shop.click().await;
    // Whoever takes a video down holds the product, and then changes the video.
    let mut held = shop.pg.begin().await.unwrap();
    api_store::hold_product(&mut held, shop.product).await;
    let taken_down = async {
        until("the next one to be shown", async || api_store::somebody_waits_for(&shop.pg, "products").await).await;
        let touched = api_store::touch_video(&mut held, shown).await;
        held.commit().await.unwrap();
        touched
    };
    let (detail, touched) = tokio::join!(shop.finish(next), taken_down);
    touched.unwrap();
    assert_eq!(detail.view.state, GenerationState::Completed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_removed_picture_is_gone_and_makes_nothing_more(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (image, another) = (upload(&shop).await, key());
    let key = storage::Key::parse(&api_store::tryon_image_key(&shop.pg, image).await).unwrap();
    let is_stored = async || shop.engine.store().head(&key).await.unwrap().is_some();
    let answered = shop.engine.generate_from_images(&[click(&shop, image, "a", 1)]).await;
    let id = body(&answered[0]).parse().unwrap();
    let refused = shop.engine.remove_tryon_image(shop.person, image).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "a video is being made of it");
    shop.engine.cancel(shop.person, id).await.unwrap();
    assert!(shop.finish(id).await.view.state.is_final());
    assert!(is_stored().await);
    shop.engine.remove_tryon_image(shop.person, image).await.unwrap();
    assert!(!is_stored().await);
    assert!(shop.view(id).await.stills.is_empty(), "nothing is shown that is not there");
    let again = shop.engine.remove_tryon_image(shop.person, image).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
    let refused = shop.engine.generate_from_images(&[click(&shop, image, "b", 1)]).await;
    assert!(matches!(refused[0], Err(Error::NotFound("try-on image"))));
    api_store::forget_answers(&shop.pg).await;
    let before = shop.engine.generate_from_images(&[click(&shop, image, "a", 1)]).await;
    assert_eq!(body(&before[0]), id.to_string(), "what was asked before is answered");
    let retry = shop.engine.retry(shop.person, id, another, None).await;
    assert!(matches!(retry, Err(Error::Conflict(_))), "there is nothing to make it from");
    let swept = shop.engine.retention().await.unwrap().sweep(false).await.unwrap();
    assert!(swept.missing.is_empty() && swept.orphans.is_empty(), "{swept:?}");
    assert_eq!(store::audited(&shop.pg, "tryon_image.removed").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn pictures_of_people_go_a_month_after_they_were_last_used(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (unused, used) = (upload(&shop).await, upload(&shop).await);
    let answered = shop.engine.generate_from_images(&[click(&shop, used, "a", 1)]).await;
    let id = body(&answered[0]).parse().unwrap();
    shop.finish(id).await;
    let is_stored = async |image| {
        let key = storage::Key::parse(&api_store::tryon_image_key(&shop.pg, image).await).unwrap();
        shop.engine.store().head(&key).await.unwrap().is_some()
    };
    let retention = shop.engine.retention().await.unwrap();
    let pictures = |report: engine::RetentionReport| {
        report.parts.iter().find(|(part, ..)| part == "tryon_image").map_or(0, |(_, objects, _)| *objects)
    };
    api_store::age_tryon_images(&shop.pg, 29).await;
    assert_eq!(pictures(retention.run().await.unwrap()), 0);
    api_store::age_tryon_images(&shop.pg, 2).await;
    assert_eq!(pictures(retention.due().await.unwrap()), 1, "the video of the other one is new");
    assert_eq!(pictures(retention.run().await.unwrap()), 1);
    assert_eq!((is_stored(unused).await, is_stored(used).await), (false, true));
    let refused = shop.engine.generate_from_images(&[click(&shop, unused, "b", 1)]).await;
    assert!(matches!(refused[0], Err(Error::NotFound(_))), "it makes nothing more");
    store::age(&shop.pg, 31).await;
    assert_eq!(pictures(retention.run().await.unwrap()), 1);
    assert!(!is_stored(used).await);
    let view = shop.view(id).await;
    assert!(view.video.is_some() && view.stills.is_empty(), "its video stays");
    let swept = retention.sweep(false).await.unwrap();
    assert!(swept.missing.is_empty() && swept.orphans.is_empty(), "{swept:?}");
    assert_eq!(pictures(retention.run().await.unwrap()), 0, "once is enough");
}
