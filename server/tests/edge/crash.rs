//! Kill -9 at every moment: the generation ends by itself and nothing is bought twice.

use nix::sys::signal::Signal;
use reqwest::header::AUTHORIZATION;
use uuid::Uuid;

use crate::{
    click::wait_until,
    house::{entries_of, invoice},
    program::Program,
    store::Moment,
    village::Village,
};

impl Village {
    /// Kills a worker when the generation is where `is_there` says, and gives the rest to another.
    async fn survive(&self, name: &str, is_there: impl Fn(&Moment) -> bool) {
        let before = invoice(&self.simulator).await;
        let mut first = self.worker();
        let generation = self.click(name).await;
        let met = wait_until(&self.ground.database, generation, is_there).await;
        assert!(first.runs(), "{name}: it ended by itself: {}", first.log());
        first.kill();
        assert_ne!(met.state, "completed", "{name}: it was over before it could be killed");
        self.end_well(name, generation, entries_of(&before, "fal"), &met).await;
    }

    /// Kills a worker when both stills are on the invoice and neither was answered: they are bought again, and ledger
    /// and invoice both show four.
    async fn survive_lost_answers(&self) {
        let before = entries_of(&invoice(&self.simulator).await, "gemini");
        let first = self.worker();
        let generation = self.click("stills").await;
        let asked = |now: &Moment| now.still_calls.iter().all(|state| state == "intent");
        let met = wait_until(&self.ground.database, generation, asked).await;
        let billed = async {
            while entries_of(&invoice(&self.simulator).await, "gemini") < before + 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), billed).await.unwrap();
        first.kill();
        let clips = entries_of(&invoice(&self.simulator).await, "fal");
        self.end_well("stills", generation, clips, &met).await;
        assert_eq!(entries_of(&invoice(&self.simulator).await, "gemini"), before + 4);
        assert_eq!(self.ground.database.paid_calls("gemini", generation).await, 4);
    }

    async fn end_well(&self, name: &str, generation: Uuid, clips_before: usize, met: &Moment) {
        let second = self.worker();
        let database = &self.ground.database;
        let end = wait_until(database, generation, |_| false).await;
        assert_eq!(end.state, "completed", "{name}, killed at {met:?}: {}", second.log());
        let bill = invoice(&self.simulator).await;
        assert_eq!(entries_of(&bill, "fal") - clips_before, 1, "{name}: the clip is bought once, killed at {met:?}");
        assert_eq!(database.open_holds().await, 0, "{name}");
        let stills = database.paid_calls("gemini", generation).await;
        assert!((2..=4).contains(&stills), "{name}: {stills} stills");
        let of_all = "select count(*) from calls where provider = 'gemini' and cost_micro_usd > 0";
        let billed = i64::try_from(entries_of(&bill, "gemini")).unwrap();
        // Between writing an intent and sending it nobody can tell whether a request left: such a call is counted as
        // paid and marked as assumed. Everything else is on the invoice, to the micro-dollar.
        let never_sent = database.number(of_all).await - billed;
        let assumed = "select count(*) from ledger_entries where assumed";
        assert!(
            (0..=database.number(assumed).await).contains(&never_sent),
            "{name}: {never_sent} calls are not billed"
        );
        if never_sent == 0 {
            let total = bill["total_micro_usd"].as_i64().unwrap();
            assert_eq!(database.paid().await, total, "{name}: ledger and invoice differ, killed at {met:?}");
        }
        second.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_while_stills_are_made_is_replaced() {
    let village = Village::build(&[]).await;
    village.survive("taken", |now| now.job_state == "running").await;
    village.survive_lost_answers().await;
    village.survive("between", |now| now.still_calls.iter().all(|state| state == "done")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_around_the_clip_is_replaced() {
    let village = Village::build(&[("SIMULATOR_STILL_DELAY_MS", "0")]).await;
    village.survive("asked", |now| now.clip_call == "intent").await;
    village.survive("submitted", |now| now.clip_call == "submitted").await;
    let first = village.worker();
    let before = entries_of(&invoice(&village.simulator).await, "fal");
    let generation = village.click("running").await;
    let met = wait_until(&village.ground.database, generation, |now| now.clip_call == "submitted").await;
    village.wait_for_the_provider(generation).await;
    first.kill();
    village.end_well("running", generation, before, &met).await;
    let told = "select count(*) from webhook_inbox where call_id is not null";
    assert!(village.ground.database.number(told).await > 0, "workers tell the provider where the server is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_while_the_video_is_made_is_replaced() {
    let none = [("SIMULATOR_STILL_DELAY_MS", "0"), ("SIMULATOR_CLIP_DELAY_MS", "0")];
    let village = Village::build(&none).await;
    village.survive("encode", |now| now.state == "encoding" && now.job_state == "running").await;
    village.survive("upload", |now| now.state == "uploading").await;
    village.hand_back().await;
}

impl Village {
    /// Waits until the provider says that it works on the clip.
    async fn wait_for_the_provider(&self, generation: Uuid) {
        let mut conn = self.ground.database.connect().await;
        let url: String = sqlx::query_scalar("select status_url from calls where generation_id = $1 and slot = 'clip'")
            .bind(generation)
            .fetch_one(&mut conn)
            .await
            .unwrap();
        for _ in 0..500 {
            let request = self.admin.client.get(&url).header(AUTHORIZATION, "Key simulator:key");
            let status = request.send().await.unwrap().text().await.unwrap();
            if status.contains("IN_PROGRESS") || status.contains("COMPLETED") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the provider never worked on the clip");
    }

    /// A worker that is asked to stop gives its job back at once: nobody waits for a lease to run out.
    async fn hand_back(&self) {
        let patient = self.ground.settings.iter().filter(|(name, _)| *name != "LEASE_SECS").cloned();
        let patient = patient.chain([("LEASE_SECS", "60".to_owned()), ("GRACE_SECS", "0".to_owned())]).collect();
        let before = entries_of(&invoice(&self.simulator).await, "fal");
        let first = Program::start(&["work"], &patient, &self.ground.dir);
        let generation = self.click("stopped").await;
        let encodes = |now: &Moment| now.state == "encoding" && now.job_state == "running";
        let met = wait_until(&self.ground.database, generation, encodes).await;
        let (status, took) = tokio::task::spawn_blocking(move || first.stop(Signal::SIGTERM)).await.unwrap();
        assert!(status.success(), "{status}");
        assert!(took.as_secs() < 10, "it took {took:?} to stop");
        let now = wait_until(&self.ground.database, generation, |_| true).await;
        assert!(matches!(now.job_state.as_str(), "queued" | "retrying"), "the job was not given back: {now:?}");
        let begun = std::time::Instant::now();
        self.end_well("stopped", generation, before, &met).await;
        assert!(begun.elapsed().as_secs() < 45, "it waited for the lease");
    }
}
