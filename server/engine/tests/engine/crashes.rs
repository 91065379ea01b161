//! Workers that vanish in the middle: the next one goes on from what is written down, and pays for nothing twice that
//! it can prove it has.

use domain::{GenerationId, GenerationState, generation::EventKind as E};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::{
    shop::{Shop, count, until},
    store,
};

async fn die(pg: &PgPool, worker: JoinHandle<usize>) {
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    store::expire_leases(pg).await;
}

/// A click whose clip is on the provider's bill, its submit never answered and its worker gone.
pub async fn lose_submit(shop: &Shop) -> GenerationId {
    shop.faults(json!([{"model": "fal-ai/pika", "fault": "never", "seconds": 60}])).await;
    let id = shop.click().await;
    let worker = shop.worker();
    shop.work_until(&worker, "the stills", async || shop.view(id).await.stills.len() == 2).await;
    drop(worker);
    let dying = shop.step_aside();
    until("the bill", async || shop.invoice().await.clips() == 1).await;
    die(&shop.pg, dying).await;
    id
}

#[sqlx::test(migrations = "../../migrations")]
async fn stills_whose_worker_died_are_made_again_and_both_are_in_the_books(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "never", "times": 2, "seconds": 60}])).await;
    let id = shop.click().await;
    let dying = shop.step_aside();
    until("both bills", async || shop.invoice().await.stills() == 2).await;
    die(&shop.pg, dying).await;
    let states = store::call_states(&shop.pg, id).await;
    assert_eq!(states, ["clip/1 planned", "still_end/1 intent", "still_start/1 intent"]);

    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let states = store::call_states(&shop.pg, id).await;
    let expected =
        ["clip/1 done", "still_end/1 in_doubt", "still_end/2 done", "still_start/1 in_doubt", "still_start/2 done"];
    assert_eq!(states, expected);
    assert_eq!((count(&detail, E::Resumed), count(&detail, E::CallRepeated)), (1, 2));
    assert_eq!(count(&detail, E::StageStarted), 3, "a stage that goes on is not started again");
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (4, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_answer_on_disk_is_not_bought_again(pg: PgPool) {
    let mut shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "delay_ms", "ms": 400, "times": 2}])).await;
    let id = shop.click().await;
    let dying = shop.step_aside();
    until("both calls", async || {
        store::calls(&shop.pg, id).await.iter().filter(|call| call.state == "intent").count() == 2
    })
    .await;
    // The answers come, but there is nowhere to put them.
    shop.stop_objects().await;
    let spool = shop.work_dir.join("spool");
    let spooled = || {
        std::fs::read_dir(&spool).map_or(0, |files| {
            files
                .filter(|file| file.as_ref().is_ok_and(|file| file.path().extension().is_some_and(|end| end == "json")))
                .count()
        })
    };
    until("both answers on disk", async || spooled() == 2).await;
    die(&shop.pg, dying).await;
    shop.start_objects().await;

    // The next worker cleans up before it begins: these answers are still wanted.
    assert_eq!(shop.engine.sweep_work_dir().await.unwrap(), (0, 0));
    assert_eq!(spooled(), 2);

    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    assert_eq!((count(&detail, E::CallInDoubt), count(&detail, E::Resumed)), (0, 1));
    assert_eq!(spooled(), 0);
    let invoice = shop.assert_books_closed().await;
    assert_eq!((invoice.stills(), invoice.clips()), (2, 1), "nothing was bought twice");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_clip_whose_worker_died_after_the_submit_is_found_again(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = lose_submit(&shop).await;
    assert_eq!(store::clip_call(&shop.pg, id).await.state, "intent");

    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Completed);
    let call = store::clip_call(&shop.pg, id).await;
    assert_eq!((call.ordinal, call.state.as_str()), (1, "done"));
    assert_eq!(shop.assert_books_closed().await.clips(), 1, "the clip is bought once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_that_kills_its_workers_is_given_up_with_what_it_may_have_cost(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([{"model": "gemini", "fault": "never", "times": 20, "seconds": 60}])).await;
    let id = shop.click().await;
    for round in 1..=3 {
        let dying = shop.step_aside();
        until("another bill", async || shop.invoice().await.stills() == round * 2).await;
        die(&shop.pg, dying).await;
    }
    let detail = shop.finish(id).await;
    assert_eq!(detail.view.state, GenerationState::Failed);
    assert_eq!(detail.view.failure.as_ref().unwrap().code, domain::FailureCode::WorkerCrashed);
    let books = store::books(&shop.pg).await;
    assert_eq!((books.open_holds, books.usage_held, books.usage_paid), (0, 0, books.paid));
    let in_doubt = store::calls(&shop.pg, id).await.iter().filter(|call| call.state == "in_doubt").count();
    assert_eq!(in_doubt, shop.invoice().await.stills());
    assert!(books.paid >= shop.invoice().await.total, "never less than was charged");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_killed_workers_leave_is_removed_by_the_next(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    shop.finish(id).await;
    let done = store::clip_call(&shop.pg, id).await.id;
    let open = store::clip_call(&shop.pg, shop.click().await).await.id;
    let strange = uuid::Uuid::now_v7();
    let spool = shop.work_dir.join("spool");
    std::fs::create_dir_all(&spool).unwrap();
    for call in [done, open, strange] {
        for end in ["bytes", "json", "partial"] {
            std::fs::write(spool.join(format!("{call}.{end}")), b"{}").unwrap();
        }
    }
    // A folder with a lock nobody holds: its worker was killed.
    let left = shop.work_dir.join("encode-left");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("lock"), b"").unwrap();

    assert_eq!(shop.engine.sweep_work_dir().await.unwrap(), (1, 1));
    assert!(!left.exists());
    let kept = |call: uuid::Uuid| spool.join(format!("{call}.bytes")).exists();
    assert_eq!((kept(done), kept(open), kept(strange)), (false, true, true));
    // What belongs to nobody here is kept for a week: it may be another shop's.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(8 * 86_400);
    for end in ["bytes", "json", "partial"] {
        std::fs::File::open(spool.join(format!("{strange}.{end}"))).unwrap().set_modified(old).unwrap();
    }
    assert_eq!(shop.engine.sweep_work_dir().await.unwrap(), (0, 1));
    assert_eq!((kept(open), kept(strange)), (true, false));
    assert_eq!(shop.engine.sweep_work_dir().await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refusal_whose_worker_died_keeps_its_reason(pg: PgPool) {
    let shop = Shop::open(pg).await;
    for model in ["gemini", "fal-ai/pika"] {
        shop.faults(json!([{"model": model, "fault": "moderation", "times": 1}])).await;
        store::refuse_failed_jobs(&shop.pg, true).await;
        let id = shop.click().await;
        // The refusal is written down, and then the worker cannot say that the job has failed.
        let worker = shop.worker();
        let dying = tokio::spawn(async move {
            loop {
                worker.step().await.ok();
                tokio::task::yield_now().await;
            }
        });
        until("the refusal", async || {
            let calls = store::calls(&shop.pg, id).await;
            // The other still is paid and kept first.
            calls.iter().any(|call| call.state == "failed")
                && calls.iter().all(|call| matches!(call.state.as_str(), "failed" | "done" | "planned"))
        })
        .await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        assert_eq!(store::job_state(&shop.pg, id).await, "running", "{model}");
        store::refuse_failed_jobs(&shop.pg, false).await;
        store::expire_leases(&shop.pg).await;

        let detail = shop.finish(id).await;
        let failure = detail.view.failure.as_ref().unwrap();
        assert_eq!(failure.code, domain::FailureCode::ContentRefused, "{model}: {failure:?}");
        assert!(failure.detail.as_ref().is_some_and(|words| !words.is_empty()), "{model}: {failure:?}");
        assert_eq!(count(&detail, E::CallFailed), 1, "{model}");
    }
    shop.assert_books_closed().await;
}
