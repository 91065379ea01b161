//! What players tell of a playback: small, from any page, without a cookie. It is counted, and who told it is forgotten
//! within a minute.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State as FromState},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use domain::{VideoId, playback::PlaybackEvent};
use engine::Engine;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{State, TrustedProxies, pages::client_ip};

/// Where it is told.
pub const PATH: &str = "/api/playback";

/// Largest body, in bytes.
const BODY_MAX_BYTES: usize = 1_024;
/// A first frame that took longer says nothing of how the video is delivered.
const FIRST_FRAME_MAX_MS: u32 = 600_000;
/// One address may tell so much in a window: a page of a shop, and everybody behind the same router.
const TOLD_MAX: u32 = 600;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are known in a window.
const ADDRESSES_MAX: usize = 20_000;
/// What was counted is written this often.
const WRITE_EVERY: Duration = Duration::from_secs(3);
/// And once more at the end, for so long.
const LAST_WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// Adds the address.
pub fn routes(router: Router<State>) -> Router<State> {
    router.merge(Router::new().route(PATH, post(tell)).layer(DefaultBodyLimit::max(BODY_MAX_BYTES)))
}

/// The body of a beacon.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beacon {
    video: VideoId,
    event: Word,
    ms: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Start,
    FirstFrame,
    Stall,
    Complete,
}

impl Beacon {
    fn event(&self) -> Option<PlaybackEvent> {
        match (self.event, self.ms) {
            (Word::Start, None) => Some(PlaybackEvent::Start),
            (Word::Stall, None) => Some(PlaybackEvent::Stall),
            (Word::Complete, None) => Some(PlaybackEvent::Complete),
            (Word::FirstFrame, Some(after_ms)) if after_ms <= FIRST_FRAME_MAX_MS => {
                Some(PlaybackEvent::FirstFrame { after_ms })
            }
            _ => None,
        }
    }
}

/// `POST /api/playback`: whether there is such a video is not said.
async fn tell(
    FromState(engine): FromState<Engine>,
    FromState(addresses): FromState<Arc<Addresses>>,
    FromState(proxies): FromState<TrustedProxies>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !addresses.may_tell(&client_ip(&headers, Some(peer.ip()), proxies), Instant::now()) {
        return StatusCode::TOO_MANY_REQUESTS;
    }
    let Ok(beacon) = serde_json::from_slice::<Beacon>(&body) else { return StatusCode::BAD_REQUEST };
    let Some(event) = beacon.event() else { return StatusCode::BAD_REQUEST };
    engine.count_playback(beacon.video, event);
    StatusCode::NO_CONTENT
}

/// How much each address told in this window.
pub struct Addresses(Mutex<(Instant, HashMap<String, u32>)>);

impl Addresses {
    /// Nobody told anything yet.
    pub fn new() -> Self {
        Self(Mutex::new((Instant::now(), HashMap::new())))
    }

    fn may_tell(&self, address: &str, now: Instant) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, told) = &mut *window;
        if now.saturating_duration_since(*begun) >= WINDOW {
            *begun = now;
            told.clear();
        }
        let address = neighbourhood(address);
        if told.len() >= ADDRESSES_MAX && !told.contains_key(&address) {
            return false;
        }
        let times = told.entry(address).or_default();
        *times = times.saturating_add(1);
        *times <= TOLD_MAX
    }
}

/// One subscriber of IPv6 has a whole /64.
fn neighbourhood(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// Writes what was counted every few seconds until `stop` fires.
pub async fn write_often(engine: Engine, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(WRITE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! { _ = ticks.tick() => {} () = stop.cancelled() => return }
        write(&engine).await;
    }
}

/// Writes what is left when the server stops.
pub async fn write_last(engine: &Engine) {
    // What is not written in time is lost: a few seconds of sums.
    _ = tokio::time::timeout(LAST_WRITE_PATIENCE, write(engine)).await;
}

async fn write(engine: &Engine) {
    if let Err(error) = engine.write_playbacks().await {
        tracing::warn!(%error, "playbacks could not be written, they are kept for the next time");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event(json: &str) -> Option<PlaybackEvent> {
        serde_json::from_str::<Beacon>(json).ok()?.event()
    }

    #[test]
    fn only_what_a_player_says_is_read() {
        let video = "0193a1b2-0000-7000-8000-000000000001";
        let said = |rest: &str| event(&format!("{{\"video\":\"{video}\",{rest}}}"));
        assert_eq!(said("\"event\":\"start\""), Some(PlaybackEvent::Start));
        assert_eq!(said("\"event\":\"first-frame\",\"ms\":90"), Some(PlaybackEvent::FirstFrame { after_ms: 90 }));
        for wrong in [
            "\"event\":\"first-frame\"",
            "\"event\":\"first-frame\",\"ms\":-1",
            "\"event\":\"first-frame\",\"ms\":1e9",
            "\"event\":\"first-frame\",\"ms\":600001",
            "\"event\":\"start\",\"ms\":1",
            "\"event\":\"start\",\"who\":\"me\"",
            "\"event\":\"other\"",
            "\"event\":\"start\",\"event\":\"stall\"",
        ] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
        for wrong in ["", "[]", "null", "{\"video\":\"x\",\"event\":\"start\"}"] {
            assert_eq!(event(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_that_tells_too_much_waits_for_the_next_window() {
        let addresses = Addresses::new();
        let now = Instant::now();
        let heard = |address, at| (0..TOLD_MAX + 50).filter(|_| addresses.may_tell(address, at)).count();
        assert_eq!(heard("203.0.113.9", now), TOLD_MAX as usize);
        assert!(addresses.may_tell("203.0.113.10", now), "others go on");
        assert_eq!(heard("2001:db8::1", now), TOLD_MAX as usize);
        assert!(!addresses.may_tell("2001:db8::2", now), "the same subscriber");
        assert!(addresses.may_tell("203.0.113.9", now + WINDOW));
    }

    #[test]
    fn no_more_addresses_are_kept_than_there_is_room_for() {
        let addresses = Addresses::new();
        let now = Instant::now();
        let heard = (0..ADDRESSES_MAX + 10).filter(|number| addresses.may_tell(&format!("h{number}"), now)).count();
        assert_eq!(heard, ADDRESSES_MAX);
        assert!(addresses.may_tell("h0", now), "who was known goes on");
    }
}
