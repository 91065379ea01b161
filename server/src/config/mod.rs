//! Configuration: one typed struct read from flags and environment. A wrong or missing value stops start-up with the names
//! of the setting, what was given where that is no secret, and what is expected.

mod clips;
mod limits;
mod parts;
mod routes;
pub mod setting;
pub mod value;
pub mod wrong;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chrono_tz::Tz;
use clap::Args;
use domain::MicroUsd;
use secrecy::SecretString;
use url::Url;

pub use clips::Clips;
pub use parts::{ObjectStore, Providers};

use crate::telemetry::LogFormat;

/// Settings every role understands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// How log lines are written.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Postgres, like postgres://user:password@host/database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<SecretString>,
}

/// Settings of `serve`, `work` and `up`.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address and port pages are served on; port 0 takes a free one.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:3000", value_parser = value::socket_address)]
    pub listen: SocketAddr,
    /// How browsers and providers reach this server, like https://shop.example; http://LISTEN when not set.
    #[arg(long, env = "PUBLIC_URL", value_parser = value::web_address)]
    pub public_url: Option<Url>,
    /// Redis: redis://, rediss://, redis-sentinel:// or redis-cluster://.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<SecretString>,
    /// Prefix of every Redis key, so that installations can share one Redis.
    #[arg(long, env = "REDIS_NAMESPACE", default_value = "lookreel", value_parser = value::namespace)]
    pub redis_namespace: String,
    #[command(flatten)]
    pub object_store: ObjectStore,
    #[command(flatten)]
    pub providers: Providers,
    /// Where media is served: a path on this server or the URL of a CDN before the bucket.
    #[arg(long, env = "MEDIA_BASE_URL", default_value = "/media", value_parser = value::media_base)]
    pub media_base_url: String,
    /// MiB of memory for small media objects that are asked for again and again; 0 keeps none.
    #[arg(long, env = "MEDIA_CACHE_MIB", default_value_t = 64, value_parser = value::whole(0..=65_536_u32))]
    pub media_cache_mib: u32,
    /// Folder of the built site (pkg, fonts, icons).
    #[arg(long, env = "LEPTOS_SITE_ROOT", default_value = "target/site")]
    pub site_root: PathBuf,
    /// Signs the addresses providers report to; at least 32 characters, the same on every process.
    #[arg(long, env = "CALLBACK_SECRET", hide_env_values = true)]
    pub callback_secret: Option<SecretString>,
    /// Address and port of Prometheus metrics at /metrics, like 127.0.0.1:9464; none when not set. Not for the public.
    #[arg(long, env = "METRICS_LISTEN", value_parser = value::socket_address)]
    pub metrics_listen: Option<SocketAddr>,
    /// Trusts X-Forwarded-For of so many proxies in front of this server.
    #[arg(long, env = "TRUSTED_PROXIES", default_value_t = 0, value_parser = value::whole(0..=32_usize))]
    pub trusted_proxies: usize,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub work: Work,
    #[command(flatten)]
    pub clips: Clips,
    #[command(flatten)]
    pub keep: Keep,
}

/// Limits of the owner.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Time zone days are cut in.
    #[arg(long, env = "SHOP_ZONE", default_value = "Asia/Seoul", value_parser = value::zone)]
    pub shop_zone: Tz,
    /// Generations that may be clicked in a day.
    #[arg(long, env = "DAILY_GENERATIONS", default_value_t = 100, value_parser = value::whole(0..=1_000_000_u32))]
    pub daily_generations: u32,
    /// US dollars that may be held and paid in a day, like 25 or 12.50.
    #[arg(long, env = "DAILY_SPEND_USD", default_value = "25", value_parser = MicroUsd::parse_dollars)]
    pub daily_spend_usd: MicroUsd,
    /// Requests of the API that one token, or one person, may send in a minute, over all processes.
    #[arg(
        long,
        env = "API_REQUESTS_PER_MINUTE",
        default_value_t = 600,
        value_parser = value::whole(1..=100_000_000_u32)
    )]
    pub api_requests_per_minute: u32,
    /// A call whose answer was lost is made again by itself when it costs less than this many US dollars.
    #[arg(long, env = "REPEAT_BELOW_USD", default_value = "0.05", value_parser = MicroUsd::parse_dollars)]
    pub repeat_below_usd: MicroUsd,
}

/// How jobs are run.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Jobs one worker process runs at once.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 4, value_parser = value::whole(1..=256_u16))]
    pub worker_concurrency: u16,
    /// Seconds a stopping worker waits for jobs before it gives them back.
    #[arg(long, env = "GRACE_SECS", default_value_t = 20, value_parser = value::whole(0..=3_600_u64))]
    pub grace_secs: u64,
    /// Seconds a worker may be silent before its jobs are given to another.
    #[arg(long, env = "LEASE_SECS", default_value_t = 30, value_parser = value::whole(2..=600_u64))]
    pub lease_secs: u64,
    /// Tries of one job.
    #[arg(long, env = "MAX_ATTEMPTS", default_value_t = 3, value_parser = value::whole(1..=20_u16))]
    pub max_attempts: u16,
    /// Seconds before the first retry; doubled for each further one, with full jitter.
    #[arg(long, env = "RETRY_BASE_SECS", default_value_t = 5, value_parser = value::whole(0..=600_u64))]
    pub retry_base_secs: u64,
    /// Seconds one job may take, waiting included.
    #[arg(long, env = "JOB_TIMEOUT_SECS", default_value_t = 600, value_parser = value::whole(10..=86_400_u64))]
    pub job_timeout_secs: u64,
    /// Seconds between looks at a clip the provider is making.
    #[arg(long, env = "POLL_INTERVAL_SECS", default_value = "5", value_parser = value::seconds)]
    pub poll_interval_secs: Duration,
    /// Seconds after which a clip that is not finished is given up.
    #[arg(long, env = "POLL_TIMEOUT_SECS", default_value = "300", value_parser = value::seconds)]
    pub poll_timeout_secs: Duration,
    /// Seconds after which a submit that was never answered, is not on the provider's list and was not reported is
    /// taken to have never arrived; 360 when not set (longer than a clip takes), 10 with a simulator.
    #[arg(long, env = "LOOKUP_AFTER_SECS", value_parser = value::seconds)]
    pub lookup_after_secs: Option<Duration>,
    /// Jobs of a provider (`fal=4`) or a model (`fal/fal-ai/pika/v2.2/pikaframes=2`) that run at once, over all processes;
    /// a model that is not named has 8.
    #[arg(long, env = "SLOTS", value_delimiter = ',', value_parser = limits::parse_slots)]
    pub slots: Vec<limits::Named<usize>>,
    /// Starts of jobs of a provider or a model in so many seconds, like `gemini=60/60`, over all processes.
    #[arg(long, env = "RATES", value_delimiter = ',', value_parser = limits::parse_rate)]
    pub rates: Vec<limits::Named<jobs::Rate>>,
    /// Jobs of one person that run at once.
    #[arg(long, env = "USER_SLOTS", value_parser = value::whole(1..=10_000_u16))]
    pub user_slots: Option<u16>,
    /// Days that ended jobs of the queue are kept; generations, videos and costs stay. 0 keeps them for ever.
    #[arg(long, env = "KEEP_JOBS_DAYS", default_value_t = 30, value_parser = value::whole(0..=3_650_u32))]
    pub keep_jobs_days: u32,
    /// Reports, alarms and retention by the clock: `false` leaves them out.
    #[arg(long, env = "ROUTINES", default_value_t = true, action = clap::ArgAction::Set, value_parser = value::switch)]
    pub routines: bool,
    /// Folder for downloads and renditions while they are worked on; a folder of the system when not set.
    #[arg(long, env = "WORK_DIR")]
    pub work_dir: Option<PathBuf>,
}

/// How long what is stored is kept. A published video is never removed.
#[derive(Debug, Clone, Args)]
pub struct Keep {
    /// Days that what providers made is kept after its generation ended; 0 keeps it for ever.
    #[arg(long, env = "KEEP_ORIGINALS_DAYS", default_value_t = 7, value_parser = value::whole(0..=3_650_u16))]
    pub keep_originals_days: u16,
    /// Days that files of a video are kept once nothing points to it; 0 keeps them for ever.
    #[arg(long, env = "KEEP_VIDEOS_DAYS", default_value_t = 30, value_parser = value::whole(0..=3_650_u16))]
    pub keep_videos_days: u16,
    /// Days that pictures of a video are kept once nothing points to it; 0 keeps them for ever.
    #[arg(long, env = "KEEP_POSTERS_DAYS", default_value_t = 90, value_parser = value::whole(0..=3_650_u16))]
    pub keep_posters_days: u16,
}

impl Keep {
    /// As the engine takes them.
    pub fn days(&self) -> engine::KeepDays {
        engine::KeepDays {
            originals: self.keep_originals_days,
            videos: self.keep_videos_days,
            posters: self.keep_posters_days,
        }
    }
}

impl Work {
    /// What may run at once and how fast it may start.
    pub fn queue_limits(&self) -> jobs::Limits {
        let limits = limits::combine(&self.slots, &self.rates, self.user_slots.map(usize::from));
        engine::limit_deliveries(limits, usize::from(self.worker_concurrency))
    }
}
