//! What the scripts promise, said in Rust without Redis.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::Call;
use crate::Limits;
use crate::limits::family_of;

pub(super) const JOBS: usize = 12;
pub(super) const GROUPS: [&str; 3] = ["a/x", "a/y", "b"];
pub(super) const LEASE_MS: i64 = 5_000;
/// A step of priority in milliseconds of waiting.
const STEP_MS: i64 = 1_000;

/// Id, group, owner and priority of a job.
pub(super) fn job_of(job: usize) -> (Uuid, &'static str, Option<Uuid>, i16) {
    let group = GROUPS[job % 3];
    let owner = [None, Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2))][job / 3 % 3];
    (Uuid::from_u128(1_000 + job as u128), group, owner, [0, 2, 1][job % 3])
}

pub(super) fn worker_of(worker: usize) -> Uuid {
    Uuid::from_u128(9_000 + worker as u128)
}

pub(super) struct Model {
    limits: Limits,
    pub(super) now_ms: i64,
    /// Rank of those that may be claimed.
    ready: BTreeMap<usize, i64>,
    /// Rank of those that wait for a place of their owner.
    held: BTreeMap<usize, i64>,
    /// When those that are delayed become due.
    delayed: BTreeMap<usize, i64>,
    /// When a place of a job in the hands of a worker runs out.
    places: BTreeMap<(usize, usize), i64>,
    /// When owners with held jobs are looked at again.
    looks: BTreeMap<Uuid, i64>,
    /// Theoretical arrivals by group, in microseconds.
    arrivals: HashMap<&'static str, i64>,
    /// Until when groups that were refused are left alone.
    blocks: HashMap<&'static str, i64>,
    /// The slots a group was left with when it was last refused, and when that was.
    brakes: HashMap<&'static str, (usize, i64)>,
}

impl Model {
    pub(super) fn new(limits: Limits) -> Self {
        let (ready, held, delayed) = Default::default();
        let (places, looks, arrivals) = Default::default();
        let (blocks, brakes) = Default::default();
        Self { limits, now_ms: 1_700_000_000_000, ready, held, delayed, places, looks, arrivals, blocks, brakes }
    }

    /// Makes a call; answers the ids that a claim proposes.
    pub(super) fn make(&mut self, call: &Call) -> Vec<Uuid> {
        match *call {
            Call::Wait { .. } => {}
            Call::Push { job, delay_ms } => self.push(job, delay_ms),
            Call::Withdraw { job } => {
                self.ready.remove(&job);
                self.held.remove(&job);
                self.delayed.remove(&job);
            }
            Call::Release { job, worker } => {
                self.places.remove(&(job, worker));
                if let Some(look) = job_of(job).2.and_then(|owner| self.looks.get_mut(&owner)) {
                    *look = 0;
                }
            }
            Call::Hold { job, worker, insert } => {
                self.forget_places();
                if insert || self.places.contains_key(&(job, worker)) {
                    self.places.insert((job, worker), self.now_ms + LEASE_MS);
                }
            }
            Call::Block { group, ms } => self.block(GROUPS[group], ms),
            Call::Claim { worker, count } => return self.claim(worker, count),
        }
        Vec::new()
    }

    fn block(&mut self, group: &'static str, pause_ms: i64) {
        let until_ms = self.blocks.get(group).copied().unwrap_or(0);
        if until_ms <= self.now_ms {
            let slots = self.limits.group_slots(group);
            let left = if self.is_braked(group) { (self.slots_of(group) / 2).max(1) } else { slots };
            self.brakes.insert(group, (left, self.now_ms));
        }
        self.blocks.insert(group, until_ms.max(self.now_ms + pause_ms));
    }

    /// Whether the group was refused in the last ten minutes.
    fn is_braked(&self, group: &str) -> bool {
        self.brakes.get(group).is_some_and(|(_, at)| self.now_ms - at < 600_000)
    }

    /// What it was left with, and one more every 30 s, up to its own.
    fn slots_of(&self, group: &str) -> usize {
        let slots = self.limits.group_slots(group);
        match self.brakes.get(group).filter(|_| self.is_braked(group)) {
            Some((left, at)) => slots.min(left + usize::try_from((self.now_ms - at) / 30_000).unwrap_or(0)),
            None => slots,
        }
    }

    fn push(&mut self, job: usize, delay_ms: i64) {
        if self.held.contains_key(&job) {
            self.delayed.remove(&job);
        } else if delay_ms <= 0 {
            self.delayed.remove(&job);
            let rank = self.now_ms + delay_ms + i64::from(job_of(job).3) * STEP_MS;
            self.ready.entry(job).or_insert(rank);
        } else if !self.ready.contains_key(&job) {
            self.delayed.insert(job, self.now_ms + delay_ms);
        }
    }

    fn forget_places(&mut self) {
        let now_ms = self.now_ms;
        self.places.retain(|_, until_ms| *until_ms > now_ms);
    }

    fn count_places(&self, counts: impl Fn(&'static str, Option<Uuid>) -> bool) -> usize {
        let counts = |job: usize| {
            let (_, group, owner, _) = job_of(job);
            counts(group, owner)
        };
        self.places.iter().filter(|((job, _), until_ms)| **until_ms > self.now_ms && counts(*job)).count()
    }

    fn owner_has_room(&self, owner: Uuid) -> usize {
        let most = self.limits.owner_slots.unwrap_or(usize::MAX);
        most.saturating_sub(self.count_places(|_, of| of == Some(owner)))
    }

    /// When the first place of an owner runs out, if it has any.
    fn next_look(&self, owner: Uuid) -> i64 {
        let of_owner = self.places.iter().filter(|((job, _), _)| job_of(*job).2 == Some(owner));
        of_owner.map(|(_, until_ms)| *until_ms).min().unwrap_or(self.now_ms + LEASE_MS)
    }

    fn is_open(&self, group: &'static str) -> bool {
        let in_group = self.count_places(|of, _| of == group);
        let family = family_of(group);
        let in_family = self.count_places(|of, _| family.is_some() && family_of(of) == family);
        let family_slots = family.and_then(|family| self.limits.family_slots(family)).unwrap_or(usize::MAX);
        let waits = self.rate_of(group).is_some_and(|(every_us, burst)| {
            self.arrivals.get(group).copied().unwrap_or(0).max(self.now_ms * 1_000) - every_us * (burst - 1)
                > self.now_ms * 1_000
        });
        let is_blocked = self.blocks.get(group).is_some_and(|until_ms| *until_ms > self.now_ms);
        !is_blocked && in_group < self.slots_of(group) && in_family < family_slots && !waits
    }

    fn rate_of(&self, group: &str) -> Option<(i64, i64)> {
        let rate = self.limits.groups.get(group)?.rate?;
        Some((i64::try_from(rate.every_us()).ok()?, i64::from(rate.burst)))
    }

    fn claim(&mut self, worker: usize, count: usize) -> Vec<Uuid> {
        self.forget_places();
        self.promote();
        self.give_back();
        let mut proposed = Vec::new();
        let mut closed = BTreeSet::new();
        while proposed.len() < count {
            // The least rank; of equals, the first group by name, then the first job by id.
            let first = |job: &usize, rank: &i64| (*rank, job_of(*job).1, job_of(*job).0.to_string());
            let open: Vec<usize> = self.ready.keys().copied().collect();
            let open = open.into_iter().filter(|job| {
                let group = job_of(*job).1;
                let is_open = !closed.contains(group) && self.is_open(group);
                if !is_open {
                    closed.insert(group);
                }
                is_open
            });
            let Some(job) = open.min_by_key(|job| first(job, &self.ready[job])) else { break };
            let Some(rank) = self.ready.remove(&job) else { break };
            let (id, group, owner, _) = job_of(job);
            if let Some(owner) = owner.filter(|owner| self.owner_has_room(*owner) == 0) {
                self.held.insert(job, rank);
                self.looks.insert(owner, self.next_look(owner));
                continue;
            }
            self.places.insert((job, worker), self.now_ms + LEASE_MS);
            if let Some((every_us, _)) = self.rate_of(group) {
                let arrival = self.arrivals.get(group).copied().unwrap_or(0).max(self.now_ms * 1_000);
                self.arrivals.insert(group, arrival + every_us);
            }
            proposed.push(id);
        }
        proposed
    }

    fn promote(&mut self) {
        let due: Vec<_> =
            self.delayed.iter().filter(|(_, at)| **at <= self.now_ms).map(|(job, at)| (*job, *at)).collect();
        for (job, at) in due {
            self.delayed.remove(&job);
            self.ready.entry(job).or_insert(at + i64::from(job_of(job).3) * STEP_MS);
        }
    }

    fn give_back(&mut self) {
        let due: Vec<Uuid> = self.looks.iter().filter(|(_, at)| **at <= self.now_ms).map(|(owner, _)| *owner).collect();
        for owner in due {
            let of_owner = |job: &usize| job_of(*job).2 == Some(owner);
            let mut waiting: Vec<_> =
                self.held.iter().filter(|(job, _)| of_owner(job)).map(|(j, r)| (*r, *j)).collect();
            waiting.sort_unstable();
            for (rank, job) in waiting.into_iter().take(self.owner_has_room(owner)) {
                self.held.remove(&job);
                self.ready.entry(job).or_insert(rank);
            }
            if self.held.keys().any(of_owner) {
                self.looks.insert(owner, self.next_look(owner));
            } else {
                self.looks.remove(&owner);
            }
        }
    }

    /// The sorted sets of ids that Redis must hold now, by name, with scores.
    pub(super) fn describe(&self) -> Vec<(String, Vec<String>)> {
        let owner_word = |owner: Option<Uuid>| owner.map(|owner| owner.to_string()).unwrap_or_default();
        let mut sets: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for group in GROUPS {
            sets.insert(format!("ready:{group}"), Vec::new());
        }
        for (job, rank) in &self.ready {
            let (id, group, owner, _) = job_of(*job);
            sets.entry(format!("ready:{group}")).or_default().push((*rank, format!("{id}:{}", owner_word(owner))));
        }
        for (job, rank) in &self.held {
            let (id, group, owner, _) = job_of(*job);
            let owner = owner_word(owner);
            sets.entry(format!("held:{owner}")).or_default().push((*rank, format!("{id}:{owner}:{group}")));
        }
        sets.insert("delayed".into(), Vec::new());
        for (job, at) in &self.delayed {
            let (id, group, owner, priority) = job_of(*job);
            let member = format!("{id}:{}:{priority}:{group}", owner_word(owner));
            sets.entry("delayed".into()).or_default().push((*at, member));
        }
        let flatten = |mut members: Vec<(i64, String)>| {
            members.sort();
            members.into_iter().flat_map(|(score, member)| [member, score.to_string()]).collect()
        };
        sets.into_iter().map(|(name, members)| (name, flatten(members))).collect()
    }
}
