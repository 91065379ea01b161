//! Pauses, as a click feels them and as operators see them.

use domain::{GenerationState, Recipe, Stage, StageState, queue::PauseScope};
use engine::Error;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, until},
    store,
};

fn fal() -> PauseScope {
    PauseScope::Provider("fal".to_owned())
}

fn pikaframes() -> PauseScope {
    PauseScope::Model("fal/fal-ai/pika/v2.2/pikaframes".to_owned())
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_paused_provider_gets_no_new_call_and_everything_ends_well_afterwards(pg: PgPool) {
    let shop = Shop::open(pg).await;
    for (scope, video) in [(fal(), 1), (pikaframes(), 2)] {
        shop.engine.pause(shop.person, &scope, " maintenance ").await.unwrap();
        shop.engine.pause(shop.person, &scope, "a second reason").await.unwrap();
        let id = shop.click().await;
        let worker = shop.worker();
        let stills_done = async || {
            let view = shop.view(id).await;
            view.stages.iter().any(|stage| stage.stage == Stage::Stills && stage.state == StageState::Done)
        };
        shop.work_until(&worker, "the stills", stills_done).await;
        for _ in 0..3 {
            assert_eq!(worker.step().await.unwrap(), 0, "{scope} is paused");
        }
        let states = store::call_states(&shop.pg, id).await;
        assert_eq!(states, ["clip/1 planned", "still_end/1 done", "still_start/1 done"]);
        let invoice = shop.invoice().await;
        assert_eq!((invoice.stills(), invoice.clips()), (2 * video, video - 1), "waiting costs nothing");

        let queue = shop.engine.queue_view().await.unwrap();
        assert_eq!((queue.depth.waiting, queue.depth.running, queue.redis_ok), (1, 0, true));
        let [pause] = queue.pauses.as_slice() else { panic!("one pause: {:?}", queue.pauses) };
        let said = (&pause.scope, pause.reason.as_str(), pause.by.as_deref());
        assert_eq!(said, (&scope, "maintenance", Some("Mina")));
        assert!(!queue.choices.contains(&scope) && queue.choices.contains(&PauseScope::Everything));
        let notice = shop.engine.queue_notice().await.unwrap();
        assert_eq!((notice.redis_ok, notice.paused.as_slice()), (true, [scope.clone()].as_slice()));

        assert!(shop.engine.resume(shop.person, &scope).await.unwrap());
        assert!(!shop.engine.resume(shop.person, &scope).await.unwrap(), "it was resumed already");
        let detail = shop.finish(id).await;
        assert_eq!(detail.view.state, GenerationState::Completed);
        let invoice = shop.assert_books_closed().await;
        assert_eq!((invoice.stills(), invoice.clips()), (2 * video, video));
        assert!(shop.engine.queue_notice().await.unwrap().is_quiet());
    }
    let actions = ["queue.paused", "queue.paused", "queue.resumed"];
    let expected: Vec<_> = [fal(), pikaframes()]
        .iter()
        .flat_map(|scope| actions.map(|action| (action.to_owned(), scope.to_string(), Some(shop.person.uuid()))))
        .collect();
    assert_eq!(store::pause_audit(&shop.pg).await, expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_submitted_is_fetched_in_a_pause(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { queue_delay_ms: 300, ..Choices::default() }).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the job to park", async || store::job_state(&shop.pg, id).await == "parked").await;
    shop.engine.pause(shop.person, &fal(), "").await.unwrap();
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed, "encoding needs no provider");
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_recipe_and_everything_wait_before_the_first_call(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let worker = shop.worker();
    for scope in [PauseScope::Recipe(Recipe::ProductVideo), PauseScope::Everything] {
        shop.engine.pause(shop.person, &scope, "").await.unwrap();
        let id = shop.click().await;
        assert_eq!(worker.step().await.unwrap(), 0, "{scope} is paused");
        assert_eq!(shop.view(id).await.state, GenerationState::Queued);
        shop.engine.cancel(shop.person, id).await.unwrap();
        shop.engine.resume(shop.person, &scope).await.unwrap();
        shop.finish(id).await;
    }
    assert_eq!(shop.assert_books_closed().await.total, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_nobody_knows_is_not_paused(pg: PgPool) {
    let shop = Shop::open(pg).await;
    for scope in [
        PauseScope::Provider("acme".to_owned()),
        PauseScope::Model("fal-ai/pika/v2.2/pikaframes".to_owned()),
        PauseScope::Model("fal/".to_owned()),
    ] {
        for answer in
            [shop.engine.pause(shop.person, &scope, "").await, shop.engine.resume(shop.person, &scope).await.map(drop)]
        {
            let Err(Error::Invalid(wrong)) = answer else { panic!("{scope}: {answer:?}") };
            assert_eq!(wrong[0].field, "scope");
        }
    }
    let answer = shop.engine.pause(shop.person, &fal(), &"가".repeat(201)).await;
    let Err(Error::Invalid(wrong)) = answer else { panic!("{answer:?}") };
    assert_eq!(wrong[0].field, "reason");
    assert!(shop.engine.queue_notice().await.unwrap().is_quiet());
    shop.engine.pause(shop.person, &fal(), &"가".repeat(200)).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_redis_it_goes_on_and_is_said(pg: PgPool) {
    let choices = Choices { redis_url: Some("redis://127.0.0.1:1".to_owned()), ..Choices::default() };
    let shop = Shop::open_with(pg, choices).await;
    until("Redis to be missed", async || !shop.engine.queue_notice().await.unwrap().redis_ok).await;
    shop.engine.pause(shop.person, &fal(), "").await.unwrap();
    let id = shop.click().await;
    let worker = shop.worker();
    let stills_paid = async || shop.invoice().await.stills() == 2;
    shop.work_until(&worker, "the stills", stills_paid).await;
    assert_eq!(worker.step().await.unwrap(), 0, "a pause needs no Redis");
    assert!(!shop.engine.queue_view().await.unwrap().redis_ok);
    shop.engine.resume(shop.person, &fal()).await.unwrap();
    assert_eq!(shop.finish(id).await.view.state, GenerationState::Completed);
    shop.assert_books_closed().await;
}
