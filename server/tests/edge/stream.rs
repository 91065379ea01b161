//! Reading server-sent events (WHATWG HTML, 9.2.6), as far as ours need it.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;

use crate::browser::Browser;

/// No event may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One event with its id.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: Option<i64>,
    pub kind: String,
    pub data: Value,
}

/// An open stream.
pub struct Events {
    bytes: futures::stream::BoxStream<'static, reqwest::Result<axum::body::Bytes>>,
    buffer: String,
}

impl Events {
    /// Opens a stream that must be there.
    pub async fn open(browser: &Browser, path: &str, last_event_id: Option<i64>) -> Self {
        let mut request = browser.get(path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id.to_string());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(crate::browser::header(&answer, "content-type"), "text/event-stream");
        assert_eq!(crate::browser::header(&answer, "cache-control"), "no-store");
        Self { bytes: answer.bytes_stream().boxed(), buffer: String::new() }
    }

    /// The next event; none when the server ended the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(block);
                self.buffer = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.bytes.next()).await.expect("no event came");
            self.buffer.push_str(std::str::from_utf8(&chunk?.unwrap()).unwrap());
        }
    }

    /// Everything to the end of the stream.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == name).map(|(_, text)| text.trim())
    };
    let json: Value = serde_json::from_str(field("data")?).unwrap();
    Some(Event {
        id: field("id").map(|id| id.parse().unwrap()),
        kind: json["kind"].as_str().unwrap().to_owned(),
        data: json["data"].clone(),
    })
}
