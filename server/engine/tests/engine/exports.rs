//! What is made of a video later: exports, chosen posters, compared colours; and who may ask for what.

use domain::{
    GenerationState, VideoId,
    export::{ExportOptions, ExportState, Fit, Focus, Shape},
    storage::KeepDays,
    video::Pictured,
};
use engine::Error;
use sqlx::PgPool;
use storage::Key;
use uuid::Uuid;

use crate::{
    shop::{Shop, options, until},
    store,
};

async fn make(shop: &Shop) -> VideoId {
    let id = shop.click_with(options()).await;
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    detail.view.video.unwrap().id
}

fn square() -> ExportOptions {
    ExportOptions { shape: Shape::Square, fit: Fit::Crop, focus: Focus::DEFAULT }
}

/// The key in a signed address.
fn key_of(url: &str) -> Key {
    Key::parse(url.splitn(6, '/').nth(5).unwrap()).unwrap()
}

async fn work_until_nothing_is_queued(shop: &Shop, video: VideoId) {
    let worker = shop.worker();
    shop.work_until(&worker, "the exports to end", async || {
        let desk = shop.engine.video_desk(video).await.unwrap();
        !desk.is_poster_coming && desk.exports.iter().all(|export| export.state != ExportState::Queued)
    })
    .await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_export_is_made_once_and_can_be_downloaded(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let id = shop.engine.request_export(shop.person, video, square()).await.unwrap();
    let again = shop.engine.request_export(shop.person, video, square()).await.unwrap();
    assert_eq!(again, id, "the same is the same");
    let wide = ExportOptions { shape: Shape::Wide, fit: Fit::Blur, ..square() };
    shop.engine.request_export(shop.person, video, wide).await.unwrap();
    work_until_nothing_is_queued(&shop, video).await;
    let exports = shop.engine.video_desk(video).await.unwrap().exports;
    assert_eq!(exports.len(), 2);
    let file = exports.iter().find(|export| export.id == id).unwrap().file.clone().unwrap();
    assert_eq!((file.width, file.height), (720, 720));
    assert!(file.url.starts_with("/media/signed/") && file.url.contains(&format!("/videos/{video}/exports/")));
    let stored = shop.engine.store().head(&key_of(&file.url)).await.unwrap().unwrap();
    assert_eq!((stored.total_bytes, stored.content_type.as_str()), (file.bytes, "video/mp4"));
    assert_eq!(shop.engine.request_export(shop.person, video, square()).await.unwrap(), id);
    assert_eq!(store::audited(&shop.pg, "export.requested").await, 2, "what is there is not made again");
    let unknown = VideoId::from_uuid(Uuid::now_v7());
    assert!(matches!(shop.engine.request_export(shop.person, unknown, square()).await, Err(Error::NotFound("video"))));
}

/// What takes ffmpeg seconds: noise in full size.
fn heavy_clip() -> bytes::Bytes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heavy.mp4");
    let mut command = std::process::Command::new("ffmpeg");
    let words = "-v error -f lavfi -i color=gray:s=1080x1920:r=24:d=3,noise=alls=60:allf=t -c:v libx264 -preset ultrafast \
        -qp 30 -pix_fmt yuv420p";
    assert!(command.args(words.split_whitespace()).arg(&path).status().unwrap().success());
    std::fs::read(path).unwrap().into()
}

/// Processes that have this shop's work folder in their command line.
fn tools_at_work(shop: &Shop) -> usize {
    let folder = shop.work_dir.to_string_lossy().into_owned();
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&folder)).count()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_export_says_how_far_it_is_and_is_stopped_with_its_ffmpeg(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let original = Key::original(video);
    let kept = shop.engine.store().get_bytes(&original, 100_000_000).await.unwrap();
    shop.engine.store().put_bytes(&original, heavy_clip(), "video/mp4").await.unwrap();
    let wide = ExportOptions { shape: Shape::Wide, fit: Fit::Blur, focus: Focus::DEFAULT };
    let id = shop.engine.request_export(shop.person, video, wide).await.unwrap();
    let view = async || shop.engine.video_desk(video).await.unwrap().exports.remove(0);
    assert_eq!((view().await.percent, view().await.is_cancelling), (None, false), "it waits");
    let working = shop.step_aside();
    until("a measured percent", async || matches!(view().await.percent, Some(1..=99))).await;
    assert!(tools_at_work(&shop) > 0, "ffmpeg runs while it says how far it is");
    shop.engine.cancel_export(shop.person, id).await.unwrap();
    working.await.unwrap();
    assert_eq!(tools_at_work(&shop), 0);
    let stopped = view().await;
    assert_eq!((stopped.state, stopped.percent, stopped.is_cancelling), (ExportState::Failed, None, false));
    assert_eq!(stopped.failure.map(|code| code.as_str()), Some("cancelled"));
    let left = std::fs::read_dir(&shop.work_dir).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("export-")).collect();
    assert!(left.is_empty(), "nothing is left of it: {left:?}");
    assert!(shop.engine.store().list(&format!("videos/{video}/exports/"), None).await.unwrap().is_empty());

    shop.engine.store().put_bytes(&original, kept, "video/mp4").await.unwrap();
    assert_eq!(shop.engine.request_export(shop.person, video, wide).await.unwrap(), id);
    work_until_nothing_is_queued(&shop, video).await;
    assert_eq!(view().await.state, ExportState::Done, "it can be asked for again");
    assert!(matches!(shop.engine.cancel_export(shop.person, id).await, Err(Error::Conflict(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_export_that_waits_is_stopped_at_once(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let id = shop.engine.request_export(shop.person, video, square()).await.unwrap();
    shop.engine.cancel_export(shop.person, id).await.unwrap();
    let export = shop.engine.video_desk(video).await.unwrap().exports.remove(0);
    assert_eq!((export.state, export.failure.map(|code| code.as_str())), (ExportState::Failed, Some("cancelled")));
    assert_eq!(shop.worker().step().await.unwrap(), 0, "its job is gone");
    assert!(matches!(shop.engine.cancel_export(shop.person, id).await, Err(Error::Conflict(_))));
    let unknown = domain::ExportId::from_uuid(Uuid::now_v7());
    assert!(matches!(shop.engine.cancel_export(shop.person, unknown).await, Err(Error::NotFound("export"))));
    assert_eq!(store::audited(&shop.pg, "export.cancelled").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_export_outlives_its_original_and_not_its_video(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    shop.engine.store().delete(&Key::original(video)).await.unwrap();
    shop.engine.request_export(shop.person, video, square()).await.unwrap();
    work_until_nothing_is_queued(&shop, video).await;
    let desk = shop.engine.video_desk(video).await.unwrap();
    assert_eq!(desk.exports[0].state, ExportState::Done, "of the rendition");
    let key = key_of(&desk.exports[0].file.as_ref().unwrap().url);
    let newer = make(&shop).await;
    store::age(&shop.pg, 40).await;
    shop.engine.retention().await.unwrap().run().await.unwrap();
    assert!(shop.engine.store().head(&key).await.unwrap().is_none());
    let refused = shop.engine.request_export(shop.person, video, square()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert!(matches!(shop.engine.choose_poster(shop.person, video, 0).await, Err(Error::Conflict(_))));
    assert!(shop.engine.video_desk(newer).await.unwrap().exports.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_export_that_cannot_be_made_says_so_and_can_be_asked_for_again(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let (original, rung) = (Key::original(video), Key::rendition(video, "720p.mp4").unwrap());
    let kept = shop.engine.store().get_bytes(&rung, 100_000_000).await.unwrap();
    for key in [&original, &rung] {
        shop.engine.store().put_bytes(key, "no clip any more".into(), "video/mp4").await.unwrap();
    }
    let id = shop.engine.request_export(shop.person, video, square()).await.unwrap();
    work_until_nothing_is_queued(&shop, video).await;
    let export = shop.engine.video_desk(video).await.unwrap().exports.remove(0);
    assert_eq!((export.state, export.file), (ExportState::Failed, None));
    assert_eq!(export.failure.unwrap().as_str(), "clip_corrupt");
    shop.engine.store().put_bytes(&original, kept, "video/mp4").await.unwrap();
    assert_eq!(shop.engine.request_export(shop.person, video, square()).await.unwrap(), id);
    work_until_nothing_is_queued(&shop, video).await;
    assert_eq!(shop.engine.video_desk(video).await.unwrap().exports[0].state, ExportState::Done);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_person_chooses_the_poster(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let before = shop.engine.video_desk(video).await.unwrap();
    assert_eq!((before.poster_at_ms, before.is_poster_coming), (None, false));
    shop.engine.choose_poster(shop.person, video, 1_000).await.unwrap();
    // The last word counts.
    shop.engine.choose_poster(shop.person, video, 2_000).await.unwrap();
    assert!(shop.engine.video_desk(video).await.unwrap().is_poster_coming);
    work_until_nothing_is_queued(&shop, video).await;
    let after = shop.engine.video_desk(video).await.unwrap();
    assert_eq!(after.poster_at_ms, Some(2_000));
    assert_ne!(after.video.poster.url, before.video.poster.url);
    assert_eq!(after.video.poster_webp.unwrap().url.replace(".webp", ".jpg"), after.video.poster.url);
    assert_eq!(
        (after.video.poster.width, after.video.poster.height),
        (before.video.poster.width, before.video.poster.height)
    );
    let shown = shop.engine.shop_product("linen-shirt").await.unwrap().video.unwrap();
    assert_eq!(shown.poster.url, after.video.poster.url, "shoppers see it");
    let moments = &after.moments_ms;
    assert_eq!((moments.len(), moments[0], moments[4]), (8, 0, after.video.duration_ms / 2));
    // The one before goes some day, the one that is shown does not.
    store::age(&shop.pg, 91).await;
    let due = shop.engine.retention().await.unwrap().run().await.unwrap();
    assert_eq!(due.parts.iter().find(|(part, ..)| part == "poster").map(|(_, objects, _)| *objects), Some(2));
    let head = |url: &str| Key::parse(url.trim_start_matches("/media/")).unwrap();
    assert!(shop.engine.store().head(&head(&shown.poster.url)).await.unwrap().is_some());
    assert!(shop.engine.store().head(&head(&before.video.poster.url)).await.unwrap().is_none());
    for late in [after.video.duration_ms, 60_000] {
        let refused = shop.engine.choose_poster(shop.person, video, late).await;
        assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "at_ms"), "{refused:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_who_ask_for_the_same_at_once_get_one_export_and_one_poster(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let ask = || shop.engine.request_export(shop.person, video, square());
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    let ids: std::collections::HashSet<_> = [a, b, c, d].into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    let choose = |at_ms| shop.engine.choose_poster(shop.person, video, at_ms);
    let (worker, (a, b, c)) = tokio::join!(work_until_nothing_is_queued(&shop, video), async {
        tokio::join!(choose(500), choose(1_000), choose(500))
    });
    let () = worker;
    for chosen in [a, b, c] {
        chosen.unwrap();
    }
    work_until_nothing_is_queued(&shop, video).await;
    let desk = shop.engine.video_desk(video).await.unwrap();
    assert!(matches!(desk.poster_at_ms, Some(500 | 1_000)) && desk.poster_failure.is_none());
    assert_eq!(store::audited(&shop.pg, "export.requested").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_poster_that_cannot_be_made_says_so(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let before = shop.engine.video_desk(video).await.unwrap();
    let rung = Key::rendition(video, "720p.mp4").unwrap();
    shop.engine.store().put_bytes(&rung, "no clip any more".into(), "video/mp4").await.unwrap();
    shop.engine.choose_poster(shop.person, video, 500).await.unwrap();
    work_until_nothing_is_queued(&shop, video).await;
    let after = shop.engine.video_desk(video).await.unwrap();
    assert_eq!(after.poster_failure.map(|code| code.as_str()), Some("clip_corrupt"));
    assert_eq!(after.video.poster, before.video.poster);
}

#[sqlx::test(migrations = "../../migrations")]
async fn colours_are_compared_with_the_product(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let video = make(&shop).await;
    let colours = shop.engine.video_desk(video).await.unwrap().colours;
    assert_eq!(colours.len(), 3, "two stills and the clip: {colours:?}");
    assert_eq!(colours[2].of, Pictured::Clip);
    // What the simulator draws is dressed in the product's own colour.
    assert!(colours.iter().all(|colour| colour.hundredths < 1_500), "{colours:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn rules_that_people_set_count_from_then_on(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let desk = shop.engine.storage_desk().await.unwrap();
    assert_eq!((desk.keep, desk.set, desk.parts.len()), (KeepDays::default(), None, 0));
    make(&shop).await;
    let keep = KeepDays { originals: 2, videos: 0, posters: 5 };
    shop.engine.set_retention(shop.person, keep).await.unwrap();
    store::age(&shop.pg, 3).await;
    let desk = shop.engine.storage_desk().await.unwrap();
    assert_eq!((desk.keep, desk.set.unwrap().0.as_str()), (keep, "Mina"));
    let due: Vec<_> = desk.due.iter().map(|part| (part.part.as_str(), part.objects)).collect();
    assert_eq!(due, [("original", 1)]);
    assert!(desk.parts.iter().any(|part| part.part == "poster" && part.objects == 3 && part.bytes > 1_000));
    assert_eq!(shop.other_process().await.retention().await.unwrap().keep, keep, "everywhere");
    for sql in ["update retention_rules set videos_days = 1", "delete from retention_rules"] {
        assert!(store::tamper(&shop.pg, sql).await.is_err(), "{sql}");
    }
}
