//! How much may run at once and how fast it may start.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A rate of starts, as a leaky bucket (GCRA): on average no more than `starts` in `per`, at most `burst` of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub starts: u32,
    /// In how long.
    pub per: Duration,
    /// How many may start at the same moment, at least 1.
    pub burst: u32,
}

impl Rate {
    /// Microseconds between two starts at a steady pace, at least 1.
    pub(crate) fn every_us(&self) -> u64 {
        u64::try_from(self.per.as_micros() / u128::from(self.starts.max(1))).unwrap_or(u64::MAX).max(1)
    }
}

/// What is allowed of one group or one family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// Jobs that run at once, over all processes; none leaves a group to the default and a family free.
    pub slots: Option<usize>,
    /// Of a family: jobs that run at once of each of its groups that has no slots of its own; none leaves them to the
    /// default.
    pub member_slots: Option<usize>,
    /// How fast they start; none is as fast as they come.
    pub rate: Option<Rate>,
}

/// What is allowed of everything, over all processes: every process must be given the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Jobs of a group that run at once where neither `groups` nor its family says otherwise.
    pub default_group_slots: usize,
    /// By group.
    pub groups: HashMap<String, Limit>,
    /// By family: what stands before the `/` of `family/member`. A job counts for its group and for its family.
    pub families: HashMap<String, Limit>,
    /// Jobs of one owner that run at once; none does not count.
    pub owner_slots: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { default_group_slots: 8, groups: HashMap::new(), families: HashMap::new(), owner_slots: None }
    }
}

/// What stands before the `/`.
pub(crate) fn family_of(group: &str) -> Option<&str> {
    group.split_once('/').map(|(family, _)| family).filter(|family| !family.is_empty())
}

impl Limits {
    /// In the words of the claim script.
    pub(crate) fn to_json(&self) -> String {
        let table = |limits: &HashMap<String, Limit>| {
            Value::Object(limits.iter().map(|(name, limit)| (name.clone(), limit.to_json())).collect())
        };
        let mut words = json!({
            "slots": self.default_group_slots,
            "groups": table(&self.groups),
            "families": table(&self.families),
        });
        if let (Some(slots), Some(words)) = (self.owner_slots, words.as_object_mut()) {
            words.insert("owner_slots".into(), json!(slots));
        }
        words.to_string()
    }

    /// So many of every group.
    pub fn of_any_group(slots: usize) -> Self {
        Self { default_group_slots: slots, ..Self::default() }
    }

    /// The same with another limit for one group.
    pub fn with_group(mut self, group: impl Into<String>, limit: Limit) -> Self {
        self.groups.insert(group.into(), limit);
        self
    }

    /// The same with a limit for one family.
    pub fn with_family(mut self, family: impl Into<String>, limit: Limit) -> Self {
        self.families.insert(family.into(), limit);
        self
    }

    pub(crate) fn group_slots(&self, group: &str) -> usize {
        let own = self.groups.get(group).and_then(|limit| limit.slots);
        let family = family_of(group).and_then(|family| self.families.get(family));
        own.or(family.and_then(|limit| limit.member_slots)).unwrap_or(self.default_group_slots)
    }

    pub(crate) fn family_slots(&self, family: &str) -> Option<usize> {
        self.families.get(family).and_then(|limit| limit.slots)
    }
}

impl Limit {
    /// So many at once, however fast.
    pub fn slots(slots: usize) -> Self {
        Self { slots: Some(slots), ..Self::default() }
    }

    /// The same for a family, with so many at once of each of its groups.
    pub fn with_member_slots(self, member_slots: usize) -> Self {
        Self { member_slots: Some(member_slots), ..self }
    }

    /// So fast, with the slots that are usual.
    pub fn rate(starts: u32, per: Duration, burst: u32) -> Self {
        Self { rate: Some(Rate { starts, per, burst }), ..Self::default() }
    }

    fn to_json(self) -> Value {
        let mut words = Map::new();
        if let Some(slots) = self.slots {
            words.insert("slots".into(), json!(slots));
        }
        if let Some(slots) = self.member_slots {
            words.insert("member_slots".into(), json!(slots));
        }
        if let Some(rate) = self.rate {
            words.insert("every_us".into(), json!(rate.every_us()));
            words.insert("burst".into(), json!(rate.burst.max(1)));
        }
        Value::Object(words)
    }
}

/// Running jobs by what they are counted under.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    groups: HashMap<String, usize>,
    families: HashMap<String, usize>,
    owners: HashMap<Uuid, usize>,
}

impl Counts {
    /// That many more run.
    pub(crate) fn add(&mut self, group: &str, owner: Option<Uuid>, more: usize) {
        *self.groups.entry(group.to_owned()).or_default() += more;
        if let Some(family) = family_of(group) {
            *self.families.entry(family.to_owned()).or_default() += more;
        }
        if let Some(owner) = owner {
            *self.owners.entry(owner).or_default() += more;
        }
    }

    /// Whether one more may run.
    pub(crate) fn has_room(&self, limits: &Limits, group: &str, owner: Option<Uuid>) -> bool {
        let fits = |running: Option<&usize>, slots: Option<usize>| {
            slots.is_none_or(|most| running.is_none_or(|now| *now < most) && most > 0)
        };
        let family = family_of(group);
        fits(self.groups.get(group), Some(limits.group_slots(group)))
            && family.is_none_or(|family| fits(self.families.get(family), limits.family_slots(family)))
            && owner.is_none_or(|owner| fits(self.owners.get(&owner), limits.owner_slots))
    }
}

/// The rates of one process while Redis is away: half of what is allowed, for there may be another one.
#[derive(Debug, Default)]
pub(crate) struct HalfRates {
    /// Theoretical arrival of the next start, in microseconds since the start of the clock, by `group:…` or `family:…`.
    arrivals: HashMap<String, u64>,
}

impl HalfRates {
    /// Takes a start of the group at `now_us`, if its rates allow it.
    pub(crate) fn take(&mut self, limits: &Limits, group: &str, now_us: u64) -> bool {
        let family = family_of(group);
        let of_group =
            limits.groups.get(group).and_then(|limit| limit.rate).map(|rate| (format!("group:{group}"), rate));
        let of_family = family.and_then(|family| {
            limits.families.get(family).and_then(|limit| limit.rate).map(|rate| (format!("family:{family}"), rate))
        });
        let rates: Vec<_> = of_group.into_iter().chain(of_family).collect();
        let arrival =
            |arrivals: &HashMap<String, u64>, name: &str| arrivals.get(name).copied().unwrap_or_default().max(now_us);
        let allowed = rates.iter().all(|(name, rate)| {
            let early_us = rate.every_us().saturating_mul(2).saturating_mul(u64::from(rate.burst.max(1)) - 1);
            arrival(&self.arrivals, name) <= now_us.saturating_add(early_us)
        });
        if allowed {
            for (name, rate) in rates {
                let next = arrival(&self.arrivals, &name).saturating_add(rate.every_us().saturating_mul(2));
                self.arrivals.insert(name, next);
            }
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(starts: u32, burst: u32) -> Limits {
        Limits::default().with_group("fal/pika", Limit::rate(starts, Duration::from_secs(1), burst))
    }

    #[test]
    fn without_redis_half_the_rate_is_taken() {
        let (limits, mut rates) = (limited(10, 2), HalfRates::default());
        let taken = (0..1_000).filter(|ms| rates.take(&limits, "fal/pika", ms * 1_000)).count();
        assert_eq!(taken, 6, "five a second, and one more of the burst");
        assert!((0..100).all(|_| rates.take(&limits, "fal/wan", 0)), "another group has no rate");
    }

    #[test]
    fn the_script_is_told_what_is_set_and_nothing_else() {
        let words: Value = serde_json::from_str(&limited(10, 2).to_json()).unwrap_or_default();
        assert_eq!(words["groups"]["fal/pika"], json!({ "every_us": 100_000, "burst": 2 }));
        assert_eq!(words.get("owner_slots"), None);
    }
}
