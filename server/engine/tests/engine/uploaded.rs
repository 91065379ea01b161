//! Videos of uploaded stills, many clicks in one transaction, answers that are kept with them, and which video is shown.

use domain::{GenerationState, MicroUsd, Options, RequestKey, Stage, StageState, TryonImageId};
use engine::{Answered, Error, ImageClick, KeptAnswer};
use sqlx::PgPool;
use uuid::Uuid;

use crate::shop::{Choices, Shop, key, new_product, options};

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
    ];
    let answered = shop.engine.generate_from_images(&together).await;
    assert_eq!(body(&answered[0]), body(&answered[1]), "the same request is told the same");
    assert!(answered[1].as_ref().unwrap().is_repeated && !answered[0].as_ref().unwrap().is_repeated);
    assert!(matches!(answered[2], Err(Error::KeyReused)));
    assert!(matches!(answered[3], Err(Error::NotFound("try-on image"))));
    assert_ne!(body(&answered[4]), body(&answered[0]));
    assert!(matches!(&answered[5], Err(Error::LimitReached(limits)) if limits.generations == 2));
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
