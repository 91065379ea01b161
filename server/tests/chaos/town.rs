//! Everything a shop runs on, as processes that can be killed, stopped and woken.

use std::{
    fs::File,
    io::Write as _,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::{
    cluster::{Postgres, Redis},
    evidence,
    house::{EMAIL, Ground, free_address},
    plan::{Fault, Plan, Round},
    program::{Program, Settings, run},
    relay::Relay,
    store::{Database, Product},
};

/// The password of the only account.
pub const PASSWORD: &str = "a long enough password";
const WORKERS: usize = 3;
/// So many may sleep while the others work.
const MOST_ASLEEP: usize = 2;
const PRODUCTS: usize = 6;
/// Longer than the queue's commands wait, so that every client has to notice.
const SILENCE: Duration = Duration::from_millis(2_500);

/// A worker process, awake or not.
struct Hand {
    program: Program,
    wakes_at: Option<Instant>,
}

/// A shop with its machines.
pub struct Town {
    pub ground: Ground,
    pub products: Vec<Product>,
    pub url: String,
    pub simulator: String,
    pub relay: Relay,
    seed: u64,
    freeze: Duration,
    works: Settings,
    hands: Vec<Hand>,
    serve: Option<Program>,
    _simulate: Program,
    redis: Redis,
    postgres: Postgres,
    dir: TempDir,
}

impl Town {
    pub async fn build(plan: &Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (postgres, redis) = (Postgres::start(dir.path()).await, Redis::start(dir.path()).await);
        let listen = free_address();
        let ground = Ground::over(Database { url: postgres.url() }, redis.url()).await;
        let ground = ground.with(&settings(plan)).with(&[("LISTEN", &listen.to_string())]);
        let folder = ground.dir.join("simulator").display().to_string();
        let words = ["simulate", "--listen", "127.0.0.1:0", "--ready-json", "--dir", &folder];
        let simulate = Program::start(&words, &ground.settings, &ground.dir);
        let simulator = block_in_place(|| simulate.ready())["simulator_url"].as_str().unwrap().to_owned();
        let ground = ground.with(&[("SIMULATOR_URL", &simulator)]);
        assert_eq!(block_in_place(|| run(&["migrate"], &ground.settings)).0, 0);
        let admin = [ground.settings.clone(), vec![("ADMIN_PASSWORD", PASSWORD.to_owned())]].concat();
        assert_eq!(block_in_place(|| run(&["admin", "create-user", EMAIL], &admin)).0, 0);
        let mut products = Vec::with_capacity(PRODUCTS);
        for number in 0..PRODUCTS {
            products.push(ground.add_product(&format!("coat{number}")).await);
        }
        let (relay, reports) = Relay::start(listen).await;
        let works = [ground.settings.clone(), vec![("PUBLIC_URL", reports)]].concat();
        let url = format!("http://{listen}");
        let (seed, freeze, hands) = (plan.seed, plan.freeze, Vec::new());
        let mut town = Self {
            ground,
            products,
            url,
            simulator,
            relay,
            seed,
            freeze,
            works,
            hands,
            serve: None,
            _simulate: simulate,
            redis,
            postgres,
            dir,
        };
        town.start_serve();
        for _ in 0..WORKERS {
            let hand = town.hire();
            town.hands.push(hand);
        }
        town
    }

    /// Lets one thing go wrong, and mends what has to be mended for the next one.
    pub async fn suffer(&mut self, round: &Round) {
        let choice = round.choice;
        match round.fault {
            Fault::KillWorker => self.replace_worker(choice),
            Fault::FreezeWorker => self.freeze_worker(choice).await,
            Fault::KillServe => {
                self.serve.take().unwrap().kill();
                tokio::time::sleep(Duration::from_millis(choice % 300)).await;
                self.start_serve();
            }
            Fault::FlushRedis => self.redis.flush().await,
            Fault::KillRedis => self.redis.kill_for(Duration::from_millis(choice % 1_500)).await,
            Fault::FreezeRedis => self.redis.freeze_for(SILENCE).await,
            Fault::RestartPostgres => self.postgres.restart().await,
            Fault::RepeatMail => self.relay.repeat(choice).await,
            Fault::ForgeMail => self.relay.forge(choice).await,
            Fault::ShuffleMail => self.relay.hold(),
        }
        tokio::time::sleep(round.pause).await;
        if round.fault == Fault::ShuffleMail {
            tokio::time::sleep(round.pause).await;
            self.relay.release(choice).await;
        }
        self.wake(Instant::now());
        self.check_nobody_left();
    }

    /// No fault is left: everything runs, and nothing is held back.
    pub async fn calm(&mut self) {
        self.wake(Instant::now() + self.freeze);
        self.relay.release(0).await;
        self.check_nobody_left();
    }

    /// Keeps a line for whoever has to find out why a run failed.
    pub fn note(&self, line: &str) {
        let notes = File::options().create(true).append(true).open(self.ground.dir.join("rounds.txt"));
        writeln!(notes.unwrap(), "{} {line}", chrono::Utc::now().to_rfc3339()).unwrap();
    }

    /// What the processes said of themselves last, for a run that failed.
    pub fn last_words(&self) -> String {
        let tail = |program: &Program| {
            let log = program.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        let programs = self.serve.iter().chain(self.hands.iter().map(|hand| &hand.program));
        programs.map(tail).collect::<Vec<_>>().join("\n---\n")
    }

    fn replace_worker(&mut self, choice: u64) {
        let at = pick(choice, WORKERS);
        self.hands.remove(at).program.kill();
        let hand = self.hire();
        self.hands.push(hand);
    }

    async fn freeze_worker(&mut self, choice: u64) {
        while self.hands.iter().filter(|hand| hand.wakes_at.is_some()).count() >= MOST_ASLEEP {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.wake(Instant::now());
        }
        let awake: Vec<usize> = (0..WORKERS).filter(|at| self.hands[*at].wakes_at.is_none()).collect();
        let hand = &mut self.hands[awake[pick(choice, awake.len())]];
        kill(hand.program.pid(), Signal::SIGSTOP).unwrap();
        hand.wakes_at = Some(Instant::now() + self.freeze);
    }

    fn wake(&mut self, now: Instant) {
        for hand in &mut self.hands {
            if hand.wakes_at.is_some_and(|at| at <= now) {
                kill(hand.program.pid(), Signal::SIGCONT).unwrap();
                hand.wakes_at = None;
            }
        }
    }

    /// No fault of others may end a process.
    fn check_nobody_left(&mut self) {
        let programs = self.serve.iter_mut().chain(self.hands.iter_mut().map(|hand| &mut hand.program));
        for program in programs {
            assert!(program.runs(), "a process ended by itself: {}", program.log());
        }
    }

    fn hire(&self) -> Hand {
        let program = Program::start(&["work"], &self.works, &self.ground.dir);
        block_in_place(|| program.first_line());
        Hand { program, wakes_at: None }
    }

    fn start_serve(&mut self) {
        let program = Program::start(&["serve"], &self.ground.settings, &self.ground.dir);
        block_in_place(|| program.first_line());
        self.serve = Some(program);
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if std::thread::panicking() {
            match evidence::keep(self.seed, &[&self.ground.dir, self.dir.path()], &self.postgres) {
                Ok(kept) => eprintln!("chaos: what this run leaves behind is in {}", kept.display()),
                Err(error) => eprintln!("chaos: nothing of this run was kept: {error}"),
            }
        }
    }
}

/// Leases are short, sleepers sleep for longer, and a provider's silence proves something only after that.
fn settings(plan: &Plan) -> [(&'static str, &'static str); 11] {
    let long = plan.freeze > Duration::from_secs(10);
    let by_form = |short, when_long| if long { when_long } else { short };
    [
        ("LEASE_SECS", "2"),
        ("WORKER_CONCURRENCY", "3"),
        ("MAX_ATTEMPTS", "6"),
        ("POLL_INTERVAL_SECS", by_form("0.4", "1")),
        ("LOOKUP_AFTER_SECS", by_form("14", "60")),
        ("POLL_TIMEOUT_SECS", by_form("40", "120")),
        ("JOB_TIMEOUT_SECS", by_form("90", "300")),
        ("DAILY_GENERATIONS", "1000000"),
        ("DAILY_SPEND_USD", "1000000"),
        ("SIMULATOR_STILL_DELAY_MS", "100"),
        ("SIMULATOR_CLIP_DELAY_MS", "300"),
    ]
}

fn pick(choice: u64, of: usize) -> usize {
    usize::try_from(choice % u64::try_from(of).unwrap()).unwrap()
}
