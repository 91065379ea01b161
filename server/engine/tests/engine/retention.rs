//! What is kept for how long, and what nobody knows of.

use bytes::Bytes;
use domain::{GenerationId, GenerationState, Options, VideoId};
use sqlx::PgPool;
use storage::Key;

use crate::{
    shop::{Shop, options},
    store,
};

async fn make(shop: &Shop, options: Options) -> (GenerationId, VideoId) {
    let id = shop.click_with(options).await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    (id, detail.view.video.unwrap().id)
}

async fn has(shop: &Shop, key: Key) -> bool {
    shop.engine.store().head(&key).await.unwrap().is_some()
}

fn parts(report: &engine::RetentionReport) -> Vec<(&str, u64)> {
    let mut parts: Vec<_> = report.parts.iter().map(|(word, objects, _)| (word.as_str(), *objects)).collect();
    parts.sort_unstable();
    parts
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_nothing_points_to_goes_part_by_part_and_a_published_video_stays(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let retention = shop.engine.retention().await.unwrap();
    let (old, old_video) = make(&shop, Options { hls: true, ..options() }).await;
    let (_, video) = make(&shop, options()).await;
    let rung = |video| Key::rendition(video, "720p.mp4").unwrap();
    let poster = |video| Key::thumbnail(video, "thumb.jpg").unwrap();
    assert_eq!(retention.due().await.unwrap().objects(), 0, "everything is new");

    store::age(&shop.pg, 8).await;
    assert_eq!(parts(&retention.due().await.unwrap()), [("original", 2)], "of both, and only they");
    let removed = retention.run().await.unwrap();
    assert_eq!((parts(&removed), removed.failed), (vec![("original", 2)], 0));
    assert!(removed.bytes() > 10_000);
    assert!(!has(&shop, Key::original(video)).await && has(&shop, rung(video)).await);

    store::age(&shop.pg, 23).await;
    // Of HLS an initialisation segment, two segments, two playlists.
    assert_eq!(parts(&retention.run().await.unwrap()), [("hls", 5), ("rendition", 1)]);
    assert!(!has(&shop, rung(old_video)).await && has(&shop, poster(old_video)).await);
    assert!(shop.view(old).await.video.is_none(), "nothing is offered that is not there");

    store::age(&shop.pg, 1_000).await;
    assert_eq!(parts(&retention.run().await.unwrap()), [("poster", 3)]);
    assert!(!has(&shop, poster(old_video)).await);
    assert!(has(&shop, rung(video)).await && has(&shop, poster(video)).await, "shoppers see it");
    assert_eq!(retention.run().await.unwrap(), engine::RetentionReport::default(), "once is enough");
    assert_eq!(store::audited(&shop.pg, "video.files_removed").await, 4, "the two originals, then twice the old one");
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_goes_that_is_kept_for_ever_or_that_a_running_retry_needs(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (_, _) = make(&shop, options()).await;
    let (id, _) = make(&shop, options()).await;
    store::age(&shop.pg, 1_000).await;
    let keep = engine::KeepDays { originals: 0, videos: 0, posters: 0 };
    let for_ever = engine::Retention { keep, ..shop.engine.retention().await.unwrap() };
    assert_eq!(for_ever.due().await.unwrap().objects(), 0);
    assert_eq!(
        parts(&shop.engine.retention().await.unwrap().due().await.unwrap()),
        [("original", 2), ("rendition", 1)],
        "pictures stay as long as what they are pictures of"
    );
    store::reopen(&shop.pg, id).await;
    assert_eq!(
        parts(&shop.engine.retention().await.unwrap().due().await.unwrap()),
        [("original", 1), ("rendition", 1)]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn rows_and_objects_are_compared_both_ways(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let retention = shop.engine.retention().await.unwrap();
    let (_, video) = make(&shop, options()).await;
    let clean = retention.sweep(true).await.unwrap();
    assert_eq!((clean.orphans.len(), clean.missing.len()), (0, 0), "{clean:?}");
    assert!(clean.looked_at >= 7, "photo, stills, original, rendition, pictures: {clean:?}");

    let stray = Key::rendition(VideoId::from_uuid(uuid::Uuid::now_v7()), "720p.mp4").unwrap();
    shop.engine.store().put_bytes(&stray, Bytes::from_static(b"left behind"), "video/mp4").await.unwrap();
    assert_eq!(retention.sweep(true).await.unwrap().orphans, [], "it may be an upload under way");
    shop.age_object(&stray);
    assert_eq!(retention.sweep(false).await.unwrap().orphans, [(stray.clone(), 11)]);
    assert!(has(&shop, stray.clone()).await, "it was only looked at");
    retention.sweep(true).await.unwrap();
    assert!(!has(&shop, stray).await);

    let rung = Key::rendition(video, "720p.mp4").unwrap();
    shop.engine.store().delete(&rung).await.unwrap();
    store::age(&shop.pg, 2).await;
    assert_eq!(retention.sweep(true).await.unwrap().missing, [rung.to_string()]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_object_that_got_its_row_after_the_listing_stays(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let retention = shop.engine.retention().await.unwrap();
    let (_, video) = make(&shop, options()).await;
    // More than are removed after one look at the database.
    let strays: Vec<Key> = (0..25).map(|number| Key::export(video, &format!("{number:02}.mp4")).unwrap()).collect();
    for stray in &strays {
        shop.engine.store().put_bytes(stray, Bytes::from_static(b"uploaded"), "video/mp4").await.unwrap();
        shop.age_object(stray);
    }
    let found = retention.sweep(false).await.unwrap();
    assert_eq!(found.orphans.len(), 25);
    let late = [&strays[3], &strays[24]];
    for key in late {
        store::know_object(&shop.pg, video, key.as_str()).await;
    }
    let removed = retention.remove_orphans(found.orphans).await.unwrap();
    assert_eq!(removed.len(), 23);
    for stray in &strays {
        assert_eq!(has(&shop, stray.clone()).await, late.contains(&stray), "{stray}");
    }
}
