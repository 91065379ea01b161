use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use url::Url;

/// How a simulator runs. `Default` is a fast one on a free loopback port that
/// accepts every key; its `state_dir` lies in the system's temporary folder.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// How the simulator names itself in the URLs it answers; `None` means
    /// `http://{bound address}`.
    pub public_url: Option<Url>,
    /// Keeps invoice, requests, faults and media across restarts.
    pub state_dir: PathBuf,
    /// Time a still takes at least, in milliseconds.
    pub still_delay_ms: u64,
    /// Time a queued request waits at least, in milliseconds.
    pub queue_delay_ms: u64,
    /// Time a clip takes at least once it runs, in milliseconds.
    pub clip_delay_ms: u64,
    /// When set, any other fal key is answered with 401.
    pub fal_key: Option<String>,
    /// When set, any other Gemini key is answered with `API_KEY_INVALID`.
    pub gemini_key: Option<String>,
    /// Decides the webhook key and every free choice in the pictures.
    pub seed: u64,
    /// How long a result file can be downloaded, in seconds.
    pub media_ttl_secs: u64,
    /// When set, the simulator's clock stands at this moment until it is moved.
    pub stands_at: Option<DateTime<Utc>>,
    /// How many fal requests may be `IN_PROGRESS` at once; at least 1.
    pub concurrency: usize,
    /// The ffmpeg program clips are encoded with.
    pub ffmpeg: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            state_dir: std::env::temp_dir().join("lookreel-simulator"),
            still_delay_ms: 0,
            queue_delay_ms: 0,
            clip_delay_ms: 0,
            fal_key: None,
            gemini_key: None,
            seed: 1,
            media_ttl_secs: 7 * 24 * 60 * 60,
            stands_at: None,
            concurrency: 2,
            ffmpeg: PathBuf::from("ffmpeg"),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bind", &self.bind)
            .field("public_url", &self.public_url.as_ref().map(Url::as_str))
            .field("state_dir", &self.state_dir)
            .field("still_delay_ms", &self.still_delay_ms)
            .field("queue_delay_ms", &self.queue_delay_ms)
            .field("clip_delay_ms", &self.clip_delay_ms)
            .field("fal_key", &self.fal_key.as_ref().map(|_| "set"))
            .field("gemini_key", &self.gemini_key.as_ref().map(|_| "set"))
            .field("seed", &self.seed)
            .field("media_ttl_secs", &self.media_ttl_secs)
            .field("stands_at", &self.stands_at)
            .field("concurrency", &self.concurrency)
            .field("ffmpeg", &self.ffmpeg)
            .finish()
    }
}
