//! The lists of the desk and of the shop.

use domain::{
    GenerationState,
    generation::{GenerationFilter, StateGroup},
    page::PageNumber,
    product::{ProductFilter, VideoStatus},
    user::Email,
};
use engine::{Conflict, Error};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{PASSWORD, Shop, fault, key, new_product, options},
    store,
};

fn page(number: &str) -> PageNumber {
    PageNumber::parse_or_first(Some(number))
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_history_is_filtered_searched_and_paged(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let email = Email::parse("second@shop.example").unwrap();
    let colleague = shop.engine.create_user(&email, "Jun", PASSWORD).await.unwrap();
    let coat = shop.engine.add_product(&new_product("wool-coat", "울 코트 100%", "Wool coat")).await.unwrap();
    let mut ids = Vec::new();
    for index in 0..22 {
        let (by, product) = if index % 11 == 0 { (colleague, coat) } else { (shop.person, shop.product) };
        ids.push(shop.engine.generate(by, product, options(), key()).await.unwrap());
    }
    store::spread(&shop.pg, &ids).await;
    for id in &ids[..5] {
        shop.engine.cancel(shop.person, *id).await.unwrap();
    }
    let list = async |filter: GenerationFilter, number: &str| {
        let page = shop.engine.generations(shop.person, &filter, page(number)).await.unwrap();
        (page.total, page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
    };
    let newest_first: Vec<_> = ids.iter().rev().copied().collect();
    assert_eq!(list(GenerationFilter::default(), "1").await, (22, newest_first[..20].to_vec()));
    assert_eq!(list(GenerationFilter::default(), "2").await, (22, newest_first[20..].to_vec()));

    assert_eq!(list(GenerationFilter::default(), "3").await, (22, Vec::new()), "past the end there is nothing, of 22");

    let group = |group| GenerationFilter { group: Some(group), ..GenerationFilter::default() };
    assert_eq!(list(group(StateGroup::Cancelled), "1").await.0, 5);
    assert_eq!(list(group(StateGroup::Active), "1").await.0, 17);
    assert_eq!(list(group(StateGroup::Completed), "1").await, (0, Vec::new()));
    assert_eq!(list(group(StateGroup::Failed), "1").await.0, 0);

    let search = |words: &str| GenerationFilter { search: words.to_owned(), ..GenerationFilter::default() };
    let coats = vec![ids[11], ids[0]];
    for words in ["wool", "울 코트", "SKU-WOOL", "100%", "  coat "] {
        assert_eq!(list(search(words), "1").await, (2, coats.clone()), "{words:?}");
    }
    for words in ["_ool", "1%0", "\\", "'; drop table generations; --"] {
        assert_eq!(list(search(words), "1").await.0, 0, "{words:?}");
    }
    assert_eq!(list(search(&ids[7].to_string()), "1").await, (1, vec![ids[7]]));
    // Tables show the end of an id.
    assert_eq!(list(search(&ids[7].to_string()[28..]), "1").await, (1, vec![ids[7]]));

    let mine = GenerationFilter { mine: true, ..GenerationFilter::default() };
    assert_eq!(list(mine.clone(), "1").await.0, 20);
    let of_colleague = shop.engine.generations(colleague, &mine, PageNumber::FIRST).await.unwrap();
    assert_eq!((of_colleague.total, of_colleague.rows[0].requested_by.as_str()), (2, "Jun"));
    let stopped = GenerationFilter { group: Some(StateGroup::Cancelled), ..search("coat") };
    assert_eq!(list(stopped, "1").await, (1, vec![ids[0]]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_product_table_says_where_every_video_is(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let add = async |slug: &str| shop.engine.add_product(&new_product(slug, slug, slug)).await.unwrap();
    let (failing, waiting, idle) = (add("failing-coat").await, add("waiting-coat").await, add("idle-coat").await);
    let ready = shop.click().await;
    shop.finish(ready).await;
    shop.faults(json!([fault("gemini", "moderation", 2)])).await;
    let failed = shop.engine.generate(shop.person, failing, options(), key()).await.unwrap();
    assert_eq!(shop.finish(failed).await.view.state, GenerationState::Failed);
    let queued = shop.engine.generate(shop.person, waiting, options(), key()).await.unwrap();

    let list = async |search: &str, status| {
        let filter = ProductFilter { search: search.to_owned(), status };
        shop.engine.products(&filter, PageNumber::FIRST).await.unwrap()
    };
    let all = list("", None).await;
    let statuses: Vec<_> = all.rows.iter().map(|row| (row.id, row.status)).collect();
    let expected = [
        (idle, VideoStatus::None),
        (waiting, VideoStatus::InProgress),
        (failing, VideoStatus::Failed),
        (shop.product, VideoStatus::Ready),
    ];
    assert_eq!((all.total, statuses), (4, expected.to_vec()));
    assert_eq!(all.rows[1].latest.unwrap().id, queued);
    for (product, status) in expected {
        let found = list("", Some(status)).await;
        assert_eq!((found.total, found.rows[0].id), (1, product), "{status:?}");
    }
    assert_eq!(list("coat", None).await.total, 3);
    let filter = ProductFilter { search: "coat".to_owned(), status: None };
    let past = shop.engine.products(&filter, page("7")).await.unwrap();
    assert_eq!((past.rows.len(), past.total, past.pages()), (0, 3, 1));
    assert_eq!(list("coat", Some(VideoStatus::Ready)).await.total, 0);

    // A failure later on does not take a finished video away.
    shop.faults(json!([fault("gemini", "moderation", 2)])).await;
    let again = shop.click().await;
    shop.engine.cancel(shop.person, queued).await.unwrap();
    assert_eq!(shop.finish(again).await.view.state, GenerationState::Failed);
    assert_eq!(list("linen", None).await.rows[0].status, VideoStatus::Ready);
    let cards = shop.engine.shop_products().await.unwrap();
    let with_video: Vec<_> = cards.iter().filter(|card| card.video.is_some()).map(|card| card.slug.as_str()).collect();
    assert_eq!((cards.len(), with_video), (4, vec!["linen-shirt"]));
    let detail = shop.engine.product(shop.product).await.unwrap();
    let ids: Vec<_> = detail.generations.iter().map(|view| view.id).collect();
    assert_eq!(ids, [again, ready], "newest first");
    assert!(matches!(shop.engine.shop_product("no-such").await, Err(Error::NotFound("product"))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn products_need_their_own_words_and_real_photos(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let twin = shop.engine.add_product(&new_product("linen-shirt", "x", "x")).await.unwrap_err();
    assert!(matches!(twin, Error::Conflict(Conflict::SlugTaken)), "{twin}");
    let mut text = new_product("text", "x", "x");
    text.photos[0].bytes = bytes::Bytes::from_static(b"<svg/>");
    let refused = shop.engine.add_product(&text).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(wrong) if wrong[0].field == "photo"), "{refused}");
    let mut bare = new_product("bare", "x", "x");
    bare.photos.clear();
    let bare = shop.engine.add_product(&bare).await.unwrap();
    let refused = shop.engine.generate(shop.person, bare, options(), key()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(Conflict::NoPhoto)), "there is nothing to make stills from");
    assert_eq!(shop.engine.product_count().await.unwrap(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_viewer_that_was_away_learns_what_changed(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let mut heard = shop.engine.queue().subscribe(engine::GENERATIONS_CHANNEL);
    let one = shop.click().await;
    let seen = shop.engine.newest_version().await.unwrap();
    assert_eq!(shop.view(one).await.version, seen);
    let two = shop.click().await;
    shop.engine.cancel(shop.person, one).await.unwrap();
    let newest = shop.engine.newest_version().await.unwrap();
    let changed = shop.engine.changed_since(seen).await.unwrap();
    let version = shop.view(two).await.version;
    assert_eq!(changed, [(two, version), (one, newest)], "in the order they changed");
    assert!(shop.engine.changed_since(newest).await.unwrap().is_empty());
    let told = tokio::time::timeout(std::time::Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
    assert!([one.to_string(), two.to_string()].contains(&told), "{told}");
    let live: Vec<_> = shop.engine.live_generations().await.unwrap().iter().map(|view| view.id).collect();
    assert_eq!(live, [two]);
    assert_eq!(shop.engine.live_between(0, newest).await.unwrap(), [(two, version)]);
    assert_eq!(shop.engine.live_between(version, newest).await.unwrap(), []);
    assert_eq!(shop.engine.live_between(0, version - 1).await.unwrap(), []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_that_commits_late_is_not_skipped(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (slow, quick) = (shop.click().await, shop.click().await);
    let seen = shop.engine.newest_version().await.unwrap();
    let mut first = shop.pg.begin().await.unwrap();
    store::touch(&mut first, slow).await.unwrap();
    let mut second = shop.pg.begin().await.unwrap();
    store::touch(&mut second, quick).await.unwrap();
    second.commit().await.unwrap();
    let changed = shop.engine.changed_since(seen).await.unwrap();
    let seen = shop.view(quick).await.version;
    assert_eq!(changed, [(quick, seen)]);
    // It was made before what the viewer has seen, and is told after it.
    first.commit().await.unwrap();
    let changed = shop.engine.changed_since(seen).await.unwrap();
    assert_eq!(changed, [(slow, shop.view(slow).await.version)]);
}
