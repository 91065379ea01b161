//! Kill -9 at every step. A generation is watched once to learn every transition its worker makes permanent; then a
//! worker is killed before, or after, each of them and another goes on. What the other does that was not seen before is
//! a step as well, and is died at in its turn.

use std::{cmp::Reverse, collections::HashSet, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use serde_json::{Value, json};
use sqlx::Row as _;
use uuid::Uuid;

use crate::{
    browser::PAGE,
    click::wait_until,
    house::invoice,
    tap::{Phase, Point, Tap},
    village::Village,
};

/// Transitions with the same label that are told apart: both stills, and a look at the clip after another.
const MOST_ALIKE: usize = 2;
/// Deaths of one generation. The third interruption without progress ends it by design.
const MOST_DEATHS: usize = 2;
/// Transitions of the stories below that are known to be there, in either phase.
const LEAST_TRANSITIONS: usize = 30;
/// A point that was met once is met again in one of so many generations.
const MOST_TRIES: usize = 6;
/// A job that has nothing left to do has ended by then.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a generation meets on its way.
struct Story {
    name: &'static str,
    /// Faults of the simulator.
    faults: Value,
    /// Whether a person asks it to stop while the provider works on the clip.
    is_cancelled: bool,
    end: &'static str,
}

/// Kills on one side of every transition.
struct Proof {
    village: Village,
    phase: Phase,
    /// Transitions that were met, each once per number.
    known: HashSet<(String, usize)>,
    /// What the ledger counts beyond the invoice, in micro-USD: for requests that never left, and for lost answers that were
    /// cheaper than a still.
    assumed_too_much: i64,
    /// What happened where it should not have.
    failures: Vec<String>,
}

impl Proof {
    async fn of(phase: Phase) {
        let village = Self::settle().await;
        let mut proof = Self { village, phase, known: HashSet::new(), assumed_too_much: 0, failures: Vec::new() };
        let mut deaths = 0;
        for story in stories() {
            let mut paths = vec![Vec::new()];
            while let Some(path) = paths.pop() {
                deaths += path.len();
                let transitions = proof.survive(&story, &path).await;
                let fresh = proof.learn(&transitions);
                if path.len() < MOST_DEATHS {
                    paths.extend(fresh.into_iter().map(|point| path.iter().cloned().chain([point]).collect()));
                }
            }
        }
        let Self { village, assumed_too_much, failures, known, .. } = proof;
        assert!(failures.is_empty(), "{} of {deaths} deaths:\n{}", failures.len(), failures.join("\n\n"));
        // Less means that the watching, not the work, has come to nothing.
        assert!(known.len() >= LEAST_TRANSITIONS, "only {} transitions: {known:#?}", known.len());
        let billed = invoice(&village.simulator).await["total_micro_usd"].as_i64().unwrap();
        assert_eq!(
            village.ground.database.paid().await - billed,
            assumed_too_much,
            "ledger and invoice differ in the end"
        );
    }

    async fn settle() -> Village {
        Village::build(&[
            ("SIMULATOR_STILL_DELAY_MS", "0"),
            // Longer than two looks at it.
            ("SIMULATOR_CLIP_DELAY_MS", "700"),
            ("DAILY_GENERATIONS", "1000"),
            ("DAILY_SPEND_USD", "1000"),
        ])
        .await
    }

    /// Lives once; when that fails, it is noted and the next begins on fresh ground.
    async fn survive(&mut self, story: &Story, path: &[Point]) -> Vec<String> {
        match AssertUnwindSafe(self.live(story, path)).catch_unwind().await {
            Ok(transitions) => transitions,
            Err(cause) => {
                let text = cause.downcast_ref::<String>().map_or("it panicked", String::as_str);
                self.failures.push(text.to_owned());
                (self.village, self.assumed_too_much) = (Self::settle().await, 0);
                Vec::new()
            }
        }
    }

    /// The transitions that were not met before.
    fn learn(&mut self, transitions: &[String]) -> Vec<Point> {
        let mut fresh = Vec::new();
        for (at, label) in transitions.iter().enumerate() {
            let nth = transitions[..=at].iter().filter(|other| *other == label).count();
            if nth <= MOST_ALIKE && self.known.insert((label.clone(), nth)) {
                fresh.push(Point { phase: self.phase, label: label.clone(), nth });
            }
        }
        fresh
    }

    /// One generation that meets all of `path`: how often something is looked at depends on how fast others are.
    async fn live(&mut self, story: &Story, path: &[Point]) -> Vec<String> {
        for _ in 0..MOST_TRIES {
            let (met, transitions) = self.try_to_live(story, path).await;
            if met == path.len() {
                return transitions;
            }
        }
        panic!("{}: nothing of the kind happened {MOST_TRIES} times: {path:#?}", story.name);
    }

    /// One generation from the click to its end, its workers killed at these points. Answers how many of them it came to,
    /// and the transitions of the worker that lived.
    async fn try_to_live(&mut self, story: &Story, path: &[Point]) -> (usize, Vec<String>) {
        let place = format!("{}, killed at {path:#?}", story.name);
        self.village.set_faults(&story.faults).await;
        let before = Bill::read(&self.village).await;
        let database = self.village.ground.database.clone();
        let mut targets = path.iter();
        let mut met = 0;
        let (mut generation, mut cancel) = (None, None);
        loop {
            let target = targets.next();
            let tap = Tap::open(&database, target.cloned()).await;
            let worker = self.village.worker_behind(&tap.url);
            tap.aim(worker.pid());
            let id = match generation {
                Some(id) => id,
                None => self.village.click("step").await,
            };
            if generation.replace(id).is_none() && story.is_cancelled {
                cancel = Some(self.village.cancel_when_submitted(id));
            }
            let end = tokio::select! {
                () = tap.has_killed() => None,
                end = wait_until(&database, id, |_| false) => Some(end),
            };
            let Some(end) = end else {
                met += 1;
                worker.kill();
                drop(tap);
                self.village.outlast_leases().await;
                continue;
            };
            assert_eq!(end.state, story.end, "{place}: {}", worker.log());
            if let Some(cancel) = cancel {
                cancel.await.unwrap();
            }
            self.village.wait_for_the_last_job(&place).await;
            self.assumed_too_much += self.balance(id, &before, path, &place).await;
            worker.kill();
            return (met, tap.transitions());
        }
    }

    /// Compares calls, ledger and invoice; answers what the ledger counts beyond the invoice.
    async fn balance(&self, generation: Uuid, before: &Bill, path: &[Point], place: &str) -> i64 {
        let database = &self.village.ground.database;
        assert_eq!(database.open_holds().await, 0, "{place}: money is left held");
        let mut entries = Bill::read(&self.village).await.since(before);
        let clips = entries.iter().filter(|entry| entry.provider == "fal").count();
        assert!(clips <= 1, "{place}: {clips} clips were asked for: {entries:#?}");
        let mut nameless = Vec::new();
        for call in self.village.calls(generation).await {
            let named = entries.iter().position(|entry| call.request_id.as_ref() == Some(&entry.request_id));
            match named.map(|at| entries.swap_remove(at)) {
                Some(entry) if call.is_assumed => panic!("{place}: {call:?} is assumed, but {entry:?}"),
                Some(entry) => assert_eq!(call.paid, entry.amount, "{place}: {call:?} and {entry:?}"),
                None if call.paid > 0 => nameless.push(call),
                None => {}
            }
        }
        // A refusal that costs, or an answer that was lost: one call for one entry, at its price. Nobody knows of a lost answer
        // whether it was a still or a refusal, which costs less: it is counted as a still.
        nameless.sort_by_key(|call| call.is_assumed);
        entries.sort_by_key(|entry| Reverse(entry.amount));
        let mut too_much = 0;
        for entry in entries.iter().filter(|entry| entry.amount > 0) {
            let of = |fits: fn(&Call, &Entry) -> bool| {
                nameless.iter().position(|call| call.provider == entry.provider && fits(call, entry))
            };
            let exact = of(|call, entry| call.paid == entry.amount);
            let twin = exact.or_else(|| of(|call, entry| call.is_assumed && call.paid > entry.amount));
            let twin = twin.unwrap_or_else(|| panic!("{place}: {entry:?} belongs to none of {nameless:?}"));
            too_much += nameless.remove(twin).paid - entry.amount;
        }
        // What is left was written down and never sent: only what was about to leave when a worker died.
        assert!(nameless.len() <= 2 * path.len(), "{place}: never sent: {nameless:?}");
        assert!(
            nameless.iter().all(|call| call.is_assumed && call.provider == "gemini"),
            "{place}: never sent: {nameless:?}"
        );
        too_much + nameless.iter().map(|call| call.paid).sum::<i64>()
    }
}

/// What a simulator asks to be paid for.
#[derive(Default)]
struct Bill(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    provider: String,
    request_id: String,
    amount: i64,
}

impl Bill {
    /// Everything it was asked for, what it took back with no price.
    async fn read(village: &Village) -> Self {
        let invoice = invoice(&village.simulator).await;
        let list = |name: &str| invoice[name].as_array().unwrap().clone();
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("fal").to_owned();
        let entry = |entry: &Value, amount| Entry {
            provider: word(entry, "provider"),
            request_id: word(entry, "request_id"),
            amount,
        };
        let standing = list("entries").into_iter().map(|line| entry(&line, line["amount_micro_usd"].as_i64().unwrap()));
        Self(standing.chain(list("voided").into_iter().map(|line| entry(&line, 0))).collect())
    }

    fn since(self, before: &Self) -> Vec<Entry> {
        let known: HashSet<&str> = before.0.iter().map(|entry| entry.request_id.as_str()).collect();
        self.0.into_iter().filter(|entry| !known.contains(entry.request_id.as_str())).collect()
    }
}

/// A call and how its hold was closed.
#[derive(Debug)]
struct Call {
    provider: String,
    request_id: Option<String>,
    paid: i64,
    is_assumed: bool,
}

impl Village {
    async fn calls(&self, generation: Uuid) -> Vec<Call> {
        let rows = sqlx::query(
            "select c.provider, c.request_id, l.amount_micro_usd, l.assumed
             from calls c join ledger_entries l on l.call_id = c.id and l.kind in ('settle', 'void')
             where c.generation_id = $1 order by c.slot, c.ordinal",
        )
        .bind(generation)
        .fetch_all(&mut self.ground.database.connect().await)
        .await
        .unwrap();
        let call = |row: sqlx::postgres::PgRow| Call {
            provider: row.get("provider"),
            request_id: row.get("request_id"),
            paid: row.get("amount_micro_usd"),
            is_assumed: row.get("assumed"),
        };
        rows.into_iter().map(call).collect()
    }

    /// Lets the time pass after which a silent worker's jobs are given to another.
    async fn outlast_leases(&self) {
        let mut conn = self.ground.database.connect().await;
        sqlx::query("update jobs set lease_until = now() where state = 'running'").execute(&mut conn).await.unwrap();
    }

    /// Returns when no job is left: the one that ended the generation may still be about to end itself.
    async fn wait_for_the_last_job(&self, place: &str) {
        let live = "select count(*) from jobs where state in ('queued', 'running', 'parked', 'retrying')";
        let ended = async {
            while self.ground.database.number(live).await > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, ended).await.is_ok(), "{place}: a job is left");
    }

    async fn set_faults(&self, faults: &Value) {
        let url = format!("{}/faults", self.simulator.trim_end_matches('/'));
        let answer = self.admin.client.put(url).body(faults.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// A person who stops the generation when the provider has its clip.
    fn cancel_when_submitted(&self, generation: Uuid) -> tokio::task::JoinHandle<()> {
        let (database, admin) = (self.ground.database.clone(), self.admin.clone());
        tokio::spawn(async move {
            wait_until(&database, generation, |now| now.clip_call == "submitted").await;
            let id = generation.to_string();
            let answer = admin.post("/api/admin/generations/cancel", PAGE, &[("id", &id)]).send().await.unwrap();
            assert!(answer.status().is_success() || answer.status().is_redirection(), "{}", answer.status());
        })
    }
}

/// Two that go well, those that end without a video, and one that gets there in the end.
fn stories() -> Vec<Story> {
    let clip = "fal-ai/";
    vec![
        // Nobody is told of the clip: what became of it must be found out.
        Story {
            name: "untold",
            faults: json!([{"model": clip, "fault": "webhook_none", "times": 99}]),
            is_cancelled: false,
            end: "completed",
        },
        Story { name: "told", faults: json!([]), is_cancelled: false, end: "completed" },
        Story {
            name: "clip refused",
            faults: json!([{"model": clip, "fault": "moderation", "times": 9}]),
            is_cancelled: false,
            end: "failed",
        },
        Story {
            name: "still refused",
            faults: json!([{"model": "gemini", "fault": "moderation", "times": 9}]),
            is_cancelled: false,
            end: "failed",
        },
        Story {
            name: "provider busy",
            faults: json!([
                {"model": "gemini", "fault": "status", "status": 503}, {"model": clip, "fault": "status", "status": 503},
            ]),
            is_cancelled: false,
            end: "completed",
        },
        Story {
            name: "cancelled",
            faults: json!([{"model": clip, "fault": "delay_ms", "ms": 5_000, "step": "run", "times": 9}]),
            is_cancelled: true,
            end: "cancelled",
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_before_every_step() {
    Proof::of(Phase::Before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_after_every_step() {
    Proof::of(Phase::After).await;
}
