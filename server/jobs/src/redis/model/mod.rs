//! The scripts against a model of what they promise: random calls, each made twice, on a real Redis with a clock that the
//! test turns.
#![allow(clippy::expect_used, clippy::panic)]

mod queue;

use std::collections::BTreeMap;
use std::time::Duration;

use fred::interfaces::{ClientLike, KeysInterface, LuaInterface};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use uuid::Uuid;

use super::{ClaimAnswer, ClaimRequest, Hold, Place, Push, Redis, RedisSettings};
use crate::{Limit, Limits};
use queue::{GROUPS, JOBS, LEASE_MS, Model, job_of, worker_of};

/// One call, in small numbers.
#[derive(Debug, Clone)]
enum Call {
    Wait { ms: i64 },
    Push { job: usize, delay_ms: i64 },
    Withdraw { job: usize },
    Claim { worker: usize, count: usize },
    Release { job: usize, worker: usize },
    Hold { job: usize, worker: usize, insert: bool },
    Block { group: usize, ms: i64 },
}

fn call() -> impl Strategy<Value = Call> {
    let (job, worker) = (0..JOBS, 0..2_usize);
    prop_oneof![
        2 => (1..3_000_i64).prop_map(|ms| Call::Wait { ms }),
        1 => Just(Call::Wait { ms: LEASE_MS }),
        8 => (job.clone(), prop_oneof![Just(0_i64), -5_000..0_i64, 1..4_000_i64])
            .prop_map(|(job, delay_ms)| Call::Push { job, delay_ms }),
        1 => job.clone().prop_map(|job| Call::Withdraw { job }),
        6 => (worker.clone(), 1..6_usize).prop_map(|(worker, count)| Call::Claim { worker, count }),
        4 => (job.clone(), worker.clone()).prop_map(|(job, worker)| Call::Release { job, worker }),
        2 => (job, worker, any::<bool>()).prop_map(|(job, worker, insert)| Call::Hold { job, worker, insert }),
        2 => (0..GROUPS.len(), 1..2_000_i64).prop_map(|(group, ms)| Call::Block { group, ms }),
        1 => Just(Call::Wait { ms: 31_000 }),
    ]
}

/// Two slots for one group and as many for each other one of its family, three for the family, two per owner, two a second
/// elsewhere.
fn limits() -> Limits {
    Limits { owner_slots: Some(2), ..Limits::of_any_group(3) }
        .with_group("a/x", Limit::slots(2))
        .with_family("a", Limit::slots(3).with_member_slots(2))
        .with_group("b", Limit::rate(2, Duration::from_secs(2), 2))
}

struct Bench {
    redis: Redis,
    epoch: Uuid,
    limits: Limits,
}

impl Bench {
    async fn open() -> Self {
        let url = std::env::var("REDIS_URL").expect("REDIS_URL names the Redis to test with");
        let settings = RedisSettings::new(url, format!("model-{}", Uuid::new_v4()));
        let bench = Self {
            redis: Redis::open(settings).expect("an address").with_clock(),
            epoch: Uuid::new_v4(),
            limits: limits(),
        };
        bench.redis.client().wait_for_connect().await.expect("redis answers");
        bench
    }

    async fn set_clock(&self, now_ms: i64) {
        let key = self.redis.settings.key("now");
        self.redis.client().set::<(), _, _>(key, now_ms * 1_000, None, None, false).await.expect("a write");
    }

    /// Everything the scripts keep, as text. Expiry is about memory only.
    async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let lua = "local all = {} \
             for _, key in ipairs(redis.call('KEYS', string.sub(KEYS[1], 1, -6) .. '*')) do \
               local kind = redis.call('TYPE', key).ok \
               local words = kind == 'zset' and redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') or { redis.call('GET', key) } \
               all[#all + 1] = key .. ' ' .. table.concat(words, ' ') \
             end return all";
        let keys = vec![self.redis.settings.key("epoch")];
        let all: Vec<String> = self.redis.client().eval(lua, keys, Vec::<String>::new()).await.expect("a dump");
        all.into_iter()
            .map(|line| {
                let mut words = line.split(' ').map(str::to_owned);
                (words.next().unwrap_or_default(), words.collect())
            })
            .collect()
    }

    async fn wipe(&self) {
        let keys: Vec<String> = self.dump().await.into_keys().collect();
        if !keys.is_empty() {
            self.redis.client().del::<(), _>(keys).await.expect("a wipe");
        }
    }

    /// Makes a call; a claim answers what it proposed.
    async fn make(&self, call: &Call, ticket: Uuid, limits: &str) -> Vec<Place> {
        let place = |job: usize| {
            let (id, group, owner, _) = job_of(job);
            Place { id, group: group.into(), owner }
        };
        let made = match *call {
            Call::Wait { .. } => Ok(()),
            Call::Push { job, delay_ms } => {
                let (id, group, owner, priority) = job_of(job);
                self.redis.push(&[Push { id, group: group.into(), owner, priority, delay_ms }]).await
            }
            Call::Withdraw { job } => {
                let (id, group, owner, priority) = job_of(job);
                self.redis.withdraw(&[Push { id, group: group.into(), owner, priority, delay_ms: 0 }]).await
            }
            Call::Release { job, worker } => self.redis.release(worker_of(worker), &[place(job)]).await,
            Call::Hold { job, worker, insert } => {
                let Place { id, group, owner } = place(job);
                let hold = Hold { id, group, owner, worker: worker_of(worker), ttl_ms: LEASE_MS, insert };
                self.redis.hold(&[hold]).await
            }
            Call::Block { group, ms } => {
                let pause = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
                self.redis.block(GROUPS[group], pause, self.limits.group_slots(GROUPS[group])).await
            }
            Call::Claim { worker, count } => {
                let (epoch, worker) = (self.epoch, worker_of(worker));
                let request = ClaimRequest { epoch, worker, ticket, count, lease_ms: LEASE_MS, limits };
                match self.redis.claim(&request).await.expect("an answer") {
                    ClaimAnswer::Proposed { jobs, .. } => return jobs,
                    ClaimAnswer::WrongEpoch => panic!("the epoch was set"),
                }
            }
        };
        made.expect("the script runs");
        Vec::new()
    }
}

async fn play(bench: &Bench, calls: &[Call]) -> Result<(), TestCaseError> {
    bench.wipe().await;
    bench.redis.write_epoch(bench.epoch).await.expect("a write");
    let (limits, mut model) = (limits(), Model::new(limits()));
    let words = limits.to_json();
    for call in calls {
        if let Call::Wait { ms } = call {
            model.now_ms += ms;
        }
        bench.set_clock(model.now_ms).await;
        let ticket = Uuid::new_v4();
        let proposed = bench.make(call, ticket, &words).await;
        let once = bench.dump().await;
        let again = bench.make(call, ticket, &words).await;
        // An empty answer is not kept: asking again is a new question, and the answer is empty again.
        prop_assert_eq!(&again, &proposed, "{:?} answered differently when repeated", call);
        prop_assert_eq!(bench.dump().await, once.clone(), "{:?} changed something when repeated", call);
        let expected = model.make(call);
        prop_assert_eq!(proposed.iter().map(|place| place.id).collect::<Vec<_>>(), expected, "{:?}", call);
        for (name, members) in model.describe() {
            let found = once.get(&bench.redis.settings.key(&name)).cloned().unwrap_or_default();
            prop_assert_eq!(found, members, "{} after {:?}", name, call);
        }
    }
    Ok(())
}

/// After a loss nobody knows the places that are taken: Redis proposes nothing before it was rebuilt.
#[tokio::test]
async fn a_redis_of_another_epoch_proposes_nothing() {
    let bench = Bench::open().await;
    bench.redis.write_epoch(Uuid::new_v4()).await.expect("a write");
    bench.set_clock(1_700_000_000_000).await;
    bench.make(&Call::Push { job: 0, delay_ms: 0 }, Uuid::nil(), "").await;
    let limits = bench.limits.to_json();
    let (worker, ticket) = (worker_of(0), Uuid::new_v4());
    let request = ClaimRequest { epoch: bench.epoch, worker, ticket, count: 1, lease_ms: LEASE_MS, limits: &limits };
    let answer = bench.redis.claim(&request).await.expect("an answer");
    assert!(matches!(answer, ClaimAnswer::WrongEpoch), "{answer:?}");
    bench.wipe().await;
}

#[test]
fn the_scripts_do_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bench = runtime.block_on(Bench::open());
    proptest!(Config { cases: 150, failure_persistence: None, ..Config::default() }, |(calls in prop::collection::vec(call(), 1..60))| {
        runtime.block_on(play(&bench, &calls))?;
    });
    runtime.block_on(bench.wipe());
}
