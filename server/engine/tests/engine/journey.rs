//! From the click to the video on the product, and what a second click does.

use domain::{
    GenerationState, ProductId, Stage, StageState,
    generation::{EventKind as E, Frame},
    notice::NoticeBody,
    product::VideoStatus,
};
use engine::Error;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    shop::{Shop, count, key, options},
    store,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_click_becomes_a_video_on_the_product(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let quote = shop.engine.quote(shop.product, &options()).await.unwrap();
    let id = shop.click().await;
    let clicked = shop.view(id).await;
    assert_eq!((clicked.state, clicked.progress), (GenerationState::Queued, 0));
    assert_eq!((clicked.held, clicked.paid.micros()), (quote.total, 0));

    let detail = shop.finish(id).await;
    let view = &detail.view;
    assert_eq!((view.state, view.progress), (GenerationState::Completed, 100));
    assert_eq!((view.failure.is_none(), view.held.micros()), (true, 0));
    let stages: Vec<_> = view.stages.iter().map(|stage| (stage.stage, stage.state)).collect();
    assert_eq!(stages, Stage::ALL.iter().map(|stage| (*stage, StageState::Done)).collect::<Vec<_>>());
    let frames: Vec<_> = view.stills.iter().map(|still| still.frame).collect();
    assert_eq!(frames, [Frame::Start, Frame::End]);

    let kinds: Vec<_> = detail.timeline.iter().map(|entry| entry.kind).collect();
    let expected = [
        E::Requested,
        E::StageStarted,
        E::CallDone,
        E::CallDone,
        E::StageDone,
        E::StageStarted,
        E::CallSubmitted,
        E::CallDone,
        E::StageDone,
        E::StageStarted,
        E::StageDone,
        E::Completed,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(detail.timeline.first().unwrap().actor.as_deref(), Some("Mina"));

    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips(), invoice.voided), (2, 1, 0));
    assert_eq!(view.paid.micros(), invoice.total);
    assert!(view.paid <= quote.total, "a click never costs more than it said");
    let states = store::call_states(&shop.pg, id).await;
    assert_eq!(states, ["clip/1 done", "still_end/1 done", "still_start/1 done"]);
    let by_stage: i64 = view.stages.iter().map(|stage| stage.cost.micros()).sum();
    assert_eq!(by_stage, invoice.total);
    assert_costs(&shop, invoice.total).await;
    assert_published(&shop, &detail.view).await;
    assert_told(&shop, &detail.view).await;
}

async fn assert_costs(shop: &Shop, total: i64) {
    let report = shop.engine.costs().await.unwrap();
    assert_eq!((report.paid_month.micros(), report.held.micros(), report.wasted_month.micros()), (total, 0, 0));
    assert_eq!((report.videos_month, report.average_per_video.unwrap().micros()), (1, total));
    assert_eq!(report.by_stage.iter().map(|share| share.amount.micros()).sum::<i64>(), total);
    let calls: Vec<_> = report.by_model.iter().map(|share| (share.key.as_str(), share.calls)).collect();
    assert_eq!(calls, [("fal", 1), ("gemini", 2)]);
    assert_eq!((report.days.len(), report.days.last().unwrap().total().micros()), (30, total));
    assert_eq!((report.limits.generations, report.limits.spend.micros()), (1, total));
}

async fn assert_published(shop: &Shop, view: &domain::generation::GenerationView) {
    let video = view.video.as_ref().unwrap();
    assert!((2_800..=3_200).contains(&video.duration_ms), "{} ms", video.duration_ms);
    let source = video.sources.first().unwrap();
    assert_eq!(source.width.min(source.height), 720);
    assert!(source.height > source.width, "portrait stays portrait");
    assert!(source.content_type.starts_with("video/mp4; codecs=\"avc1."), "{}", source.content_type);
    for key in [
        storage::Key::original(video.id),
        storage::Key::rendition(video.id, "720p.mp4").unwrap(),
        storage::Key::thumbnail(video.id, "thumb.jpg").unwrap(),
        storage::Key::thumbnail(video.id, "thumb.webp").unwrap(),
        storage::Key::thumbnail(video.id, "strip.jpg").unwrap(),
    ] {
        let found = shop.engine.store().head(&key).await.unwrap();
        assert!(found.is_some_and(|object| object.total_bytes > 1_000), "{key} is not stored");
    }
    let product = shop.engine.product(shop.product).await.unwrap();
    assert_eq!(product.video.as_ref().map(|video| video.id), Some(video.id));
    let in_shop = shop.engine.shop_product("linen-shirt").await.unwrap();
    assert_eq!(in_shop.video.map(|video| video.id), Some(video.id));
    let page = shop.engine.products(&Default::default(), domain::page::PageNumber::FIRST).await.unwrap();
    assert_eq!(page.rows.first().unwrap().status, VideoStatus::Ready);
    let spooled = std::fs::read_dir(shop.work_dir.join("spool")).unwrap().count();
    assert_eq!(spooled, 0, "what the store has is not kept twice");
}

async fn assert_told(shop: &Shop, view: &domain::generation::GenerationView) {
    let bell = shop.engine.bell(shop.person).await.unwrap();
    assert_eq!(bell.unread, 1);
    let NoticeBody::VideoReady { generation_id, cost, .. } = &bell.notices.first().unwrap().body else {
        panic!("told {bell:?}");
    };
    assert_eq!((*generation_id, *cost), (view.id, view.paid));
    shop.engine.read_notices(shop.person).await.unwrap();
    assert_eq!(shop.engine.bell(shop.person).await.unwrap().unread, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_key_is_one_generation_however_often_it_is_clicked(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let key_once = key();
    let click = || shop.engine.generate(shop.person, shop.product, options(), key_once);
    let (one, two, three) = tokio::join!(click(), click(), click());
    let id = one.unwrap();
    assert_eq!((two.unwrap(), three.unwrap()), (id, id));
    assert_eq!(click().await.unwrap(), id);
    assert_eq!(store::calls(&shop.pg, id).await.len(), 3);
    let limits = shop.engine.limits().await.unwrap();
    assert_eq!((limits.generations, limits.spend), (1, shop.view(id).await.held));

    let other = shop.click().await;
    assert_ne!(other, id);
    assert_eq!(shop.engine.limits().await.unwrap().generations, 2);
    assert_eq!(shop.engine.live_generations().await.unwrap().len(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_unknown_product_writes_nothing(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let before = store::written(&shop.pg).await;
    let nobody = ProductId::from_uuid(Uuid::now_v7());
    let refused = shop.engine.generate(shop.person, nobody, options(), key()).await.unwrap_err();
    assert!(matches!(refused, Error::NotFound("product")), "{refused}");
    assert!(matches!(shop.engine.quote(nobody, &options()).await, Err(Error::NotFound("product"))));
    assert_eq!(store::written(&shop.pg).await, before);
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_generations_side_by_side_keep_their_own_books(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (one, two) = (shop.click().await, shop.click().await);
    let first = shop.finish(one).await;
    let second = shop.finish(two).await;
    for detail in [&first, &second] {
        assert_eq!(detail.view.state, GenerationState::Completed);
        assert_eq!((count(detail, E::CallDone), count(detail, E::RetryScheduled)), (3, 0));
    }
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (4, 2));
    assert_eq!(first.view.paid.micros() + second.view.paid.micros(), invoice.total);
    // The product shows the one that was finished last.
    let newest = [&first, &second].into_iter().max_by_key(|detail| detail.view.finished_at).unwrap();
    let shown = shop.engine.product(shop.product).await.unwrap().video.unwrap();
    assert_eq!(shown.generation_id, newest.view.id);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_is_not_looked_at_again_while_its_bytes_are_the_same(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let worker = shop.worker();
    // What was found is told apart from what would be found again: smaller, and nothing is enlarged.
    let smaller = "update video_objects set clip_info = jsonb_set(jsonb_set(clip_info, '{info,width}', '180'),
        '{info,height}', '320') where part = 'original'";
    let never_kept = "update video_objects set clip_info = null";
    let unreadable = "update video_objects set clip_info = '{}' where part = 'original'";
    let of_other_bytes = "update video_objects set sha256 = 'other' where part = 'original'";
    for (changes, is_retried, short_side) in [
        (vec![smaller], false, 180),
        (vec![smaller], true, 180),
        (vec![never_kept], false, 720),
        (vec![unreadable], false, 720),
        (vec![smaller, of_other_bytes], false, 720),
    ] {
        let mut id = shop.click().await;
        let is_stored = async || shop.view(id).await.state == GenerationState::Encoding;
        shop.work_until(&worker, "the clip", is_stored).await;
        if is_retried {
            shop.engine.cancel(shop.person, id).await.unwrap();
            assert_eq!(shop.finish(id).await.view.state, GenerationState::Cancelled);
            id = shop.retry(id).await.unwrap();
        }
        for change in &changes {
            store::tamper(&shop.pg, change).await.unwrap();
        }
        let video = shop.finish(id).await.view.video.unwrap();
        let source = video.sources.first().unwrap();
        assert_eq!(source.width.min(source.height), short_side, "{changes:?}, retried: {is_retried}");
    }
}
