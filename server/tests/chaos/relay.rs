//! Stands between the provider and the server: hands webhooks on, remembers them, holds them back, tells them again.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri},
};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use reqwest::Client;

/// The server's answer to a webhook takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Webhooks that are told again at most in one round.
const MOST_AGAIN: usize = 6;
/// Webhooks that are remembered.
const MOST_KEPT: usize = 200;

/// A webhook as the provider sent it.
#[derive(Debug, Clone)]
struct Letter {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Default)]
struct Bag {
    seen: Vec<Letter>,
    /// What waits while letters are held back.
    held: Option<Vec<Letter>>,
}

/// A running relay; it ends with the process.
#[derive(Clone)]
pub struct Relay {
    server: SocketAddr,
    client: Client,
    bag: Arc<Mutex<Bag>>,
}

impl Relay {
    /// Starts before the server at `server`; returns where providers should report to.
    pub async fn start(server: SocketAddr) -> (Self, String) {
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let relay = Self { server, client, bag: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(relay.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (relay, url)
    }

    /// Tells some of what came again; the server takes it or is away.
    pub async fn repeat(&self, choice: u64) {
        for letter in self.some(choice) {
            let status = self.hand_on(&letter).await;
            assert!(is_taken(status) || is_away(status), "a webhook that came again was answered {status}");
        }
    }

    /// Tells some of what came again, each changed; nobody may believe it.
    pub async fn forge(&self, choice: u64) {
        for (at, mut letter) in self.some(choice).into_iter().enumerate() {
            if at % 2 == 0 {
                letter.body = Bytes::from([letter.body.as_ref(), b" "].concat());
            } else {
                let signature = HeaderValue::from_str(&"ab".repeat(64)).unwrap();
                letter.headers.insert(HeaderName::from_static("x-fal-webhook-signature"), signature);
            }
            let status = self.hand_on(&letter).await;
            assert!(status == StatusCode::UNAUTHORIZED || is_away(status), "a forged webhook was answered {status}");
        }
    }

    /// From now on webhooks are taken and not handed on.
    pub fn hold(&self) {
        self.bag.lock().unwrap().held.get_or_insert_default();
    }

    /// Hands on what was held back, in another order.
    pub async fn release(&self, choice: u64) {
        let mut held = self.bag.lock().unwrap().held.take().unwrap_or_default();
        held.shuffle(&mut StdRng::seed_from_u64(choice));
        for letter in held {
            let status = self.hand_on(&letter).await;
            assert!(is_taken(status) || is_away(status), "a late webhook was answered {status}");
        }
    }

    /// Webhooks that came.
    pub fn seen(&self) -> usize {
        self.bag.lock().unwrap().seen.len()
    }

    fn some(&self, choice: u64) -> Vec<Letter> {
        let mut letters = self.bag.lock().unwrap().seen.clone();
        letters.shuffle(&mut StdRng::seed_from_u64(choice));
        letters.truncate(MOST_AGAIN);
        letters
    }

    async fn hand_on(&self, letter: &Letter) -> StatusCode {
        let url = format!("http://{}{}", self.server, letter.path);
        let request = self.client.post(url).headers(letter.headers.clone()).body(letter.body.clone());
        request.send().await.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    }
}

async fn take(State(relay): State<Relay>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let wanted = |name: &HeaderName| name.as_str().starts_with("x-fal-") || name == "content-type";
    let headers = headers.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name.clone(), value.clone()));
    let letter = Letter { path: uri.path().to_owned(), headers: headers.collect(), body };
    {
        let mut bag = relay.bag.lock().unwrap();
        if let Some(held) = &mut bag.held {
            held.push(letter);
            return StatusCode::OK;
        }
    }
    let status = relay.hand_on(&letter).await;
    // What the provider itself forged is not worth telling again.
    if status.is_success() {
        let mut bag = relay.bag.lock().unwrap();
        bag.seen.push(letter);
        if bag.seen.len() > MOST_KEPT {
            bag.seen.remove(0);
        }
    }
    status
}

fn is_taken(status: StatusCode) -> bool {
    // A forged one may have been held back with the others.
    status.is_success() || status == StatusCode::UNAUTHORIZED
}

fn is_away(status: StatusCode) -> bool {
    status.is_server_error()
}
