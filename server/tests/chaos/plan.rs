//! What goes wrong, and in which order: decided by the seed alone.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

/// Rounds of the short form.
const SHORT_ROUNDS: usize = 44;
/// From this many rounds on a worker sleeps as long as a paused machine does.
const LONG_ROUNDS: usize = 100;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL; another one is started.
    KillWorker,
    /// SIGSTOP for longer than a lease, then SIGCONT: it wakes with leases that are dead.
    FreezeWorker,
    KillServe,
    FlushRedis,
    /// SIGKILL; it comes back empty.
    KillRedis,
    /// SIGSTOP: connections stay open and nothing answers.
    FreezeRedis,
    /// Stopped without a checkpoint, every connection cut, then recovery.
    RestartPostgres,
    /// Webhooks that came already come again.
    RepeatMail,
    /// Webhooks are held back, then come late and in another order.
    ShuffleMail,
    /// Webhooks that came already come with another body or another signature.
    ForgeMail,
}

/// Every fault as often as a bag holds it.
const BAG: [Fault; 16] = [
    Fault::KillWorker,
    Fault::KillWorker,
    Fault::KillWorker,
    Fault::FreezeWorker,
    Fault::FreezeWorker,
    Fault::FreezeWorker,
    Fault::KillServe,
    Fault::FlushRedis,
    Fault::FlushRedis,
    Fault::KillRedis,
    Fault::FreezeRedis,
    Fault::RestartPostgres,
    Fault::RestartPostgres,
    Fault::RepeatMail,
    Fault::ShuffleMail,
    Fault::ForgeMail,
];

/// A fault and how it is dealt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub fault: Fault,
    /// Whom it meets, and every other choice within it.
    pub choice: u64,
    /// What follows has to wait so long.
    pub pause: Duration,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub rounds: Vec<Round>,
    /// How long a worker sleeps.
    pub freeze: Duration,
}

impl Plan {
    /// The run that `CHAOS_SEED` and `CHAOS_ROUNDS` ask for; a new one of the short form when they say nothing.
    pub fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let number = |name: &str| {
            number(name).map(|text| text.parse::<u64>().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
        };
        let rounds = number("CHAOS_ROUNDS").map_or(SHORT_ROUNDS, |rounds| usize::try_from(rounds).unwrap());
        Self::draw(number("CHAOS_SEED").unwrap_or_else(rand::random), rounds)
    }

    fn draw(seed: u64, count: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut rounds = Vec::with_capacity(count + BAG.len());
        while rounds.len() < count {
            let mut bag = BAG;
            bag.shuffle(&mut rng);
            rounds.extend(bag.map(|fault| Round {
                fault,
                choice: rng.random(),
                pause: Duration::from_millis(rng.random_range(250..1_000)),
            }));
        }
        rounds.truncate(count);
        // A lease of two seconds, and up to five until it is noticed that it ran out.
        let freeze = Duration::from_secs(if count < LONG_ROUNDS { 8 } else { 40 });
        Self { seed, rounds, freeze }
    }

    /// Decides what people and providers do meanwhile.
    pub fn crowd(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_add(1))
    }
}

#[test]
fn a_seed_is_a_run() {
    let plan = Plan::draw(7, 60);
    assert_eq!(plan, Plan::draw(7, 60));
    assert_ne!(plan.rounds, Plan::draw(8, 60).rounds);
    assert_eq!(plan.rounds[..44], Plan::draw(7, 44).rounds, "a longer run starts like a shorter one");
    for fault in BAG {
        assert!(plan.rounds[..BAG.len()].iter().any(|round| round.fault == fault), "{fault:?} comes early");
    }
}
