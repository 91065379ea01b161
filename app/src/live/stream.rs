//! The stream of a tab over server-sent events (WHATWG HTML, 9.2): opened, watched, opened again.
//!
//! A browser opens a broken stream again by itself, but gives up on any answer other than 200 and does not tell which it
//! was. Then one call of a server function asks whether somebody is still signed in.

use std::time::Duration;

use codee::Decoder;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::{Event, EventSource, MessageEvent};

use super::{Live, LiveEvent, STREAM};
use crate::{api::frame::load_frame, error::AppError, wire::Lean};

/// The first wait before a stream the browser gave up on is opened again; each further one is twice as long.
const FIRST_WAIT_SECS: u64 = 2;
/// No wait is longer.
const LONGEST_WAIT_SECS: u64 = 60;

type Handler = Closure<dyn FnMut(Event)>;

#[derive(Clone, Copy)]
struct Stream {
    live: Live,
    source: StoredValue<Option<EventSource>, LocalStorage>,
    handler: StoredValue<Option<Handler>, LocalStorage>,
    was_open: StoredValue<bool>,
    /// How often in a row the browser gave up.
    failures: StoredValue<u32>,
}

/// Opens the stream and follows it until the owner is gone. In the browser only.
pub(super) fn begin(live: Live) {
    let stream = Stream {
        live,
        source: StoredValue::new_local(None),
        handler: StoredValue::new_local(None),
        was_open: StoredValue::new(false),
        failures: StoredValue::new(0),
    };
    stream.handler.set_value(Some(Closure::new(move |event| stream.take(&event))));
    on_cleanup(move || stream.close());
    stream.open();
}

impl Stream {
    fn open(self) {
        let Ok(source) = EventSource::new(STREAM) else { return };
        self.handler.with_value(|handler| {
            let handler = handler.as_ref().map(|handler| handler.as_ref().unchecked_ref());
            source.set_onopen(handler);
            source.set_onmessage(handler);
            source.set_onerror(handler);
        });
        self.source.set_value(Some(source));
    }

    fn close(self) {
        // Once the owner is gone there is nothing left to close.
        let _ = self.source.try_update_value(|source| {
            if let Some(source) = source.take() {
                source.set_onopen(None);
                source.set_onmessage(None);
                source.set_onerror(None);
                source.close();
            }
        });
    }

    fn take(self, event: &Event) {
        match event.type_().as_str() {
            "open" => self.greet(),
            "message" => self.read(event),
            _ => self.mend(),
        }
    }

    fn greet(self) {
        self.failures.set_value(0);
        self.live.lost.set(false);
        if self.was_open.get_value() {
            // The browser tells the server what it has seen, but not when it saw nothing, nor in a stream opened by us.
            spawn_local(async move {
                match load_frame().await {
                    Ok(frame) if self.is_watched() => self.live.catch_up(frame),
                    Ok(_) => {}
                    Err(error) => self.end_when_signed_out(&error),
                }
            });
        }
        self.was_open.set_value(true);
    }

    fn read(self, event: &Event) {
        let text = event.dyn_ref::<MessageEvent>().and_then(|message| message.data().as_string());
        if let Some(event) = text.and_then(|text| <Lean as Decoder<LiveEvent>>::decode(&text).ok()) {
            self.live.receive(event);
        }
    }

    fn mend(self) {
        self.live.lost.set(self.was_open.get_value());
        let has_given_up = self
            .source
            .with_value(|source| source.as_ref().is_some_and(|source| source.ready_state() == EventSource::CLOSED));
        if has_given_up {
            self.close();
            self.failures.update_value(|failures| *failures += 1);
            set_timeout(move || self.retry(), wait(self.failures.get_value()));
        }
    }

    /// Opens the stream again, unless nobody is signed in any more or nobody looks.
    fn retry(self) {
        if !self.is_watched() {
            return;
        }
        spawn_local(async move {
            if let Err(error) = load_frame().await {
                self.end_when_signed_out(&error);
            }
            if self.is_watched() && !self.live.signed_out.get_untracked() {
                self.open();
            }
        });
    }

    /// Whether the owner is still there.
    fn is_watched(self) -> bool {
        self.failures.try_get_value().is_some()
    }

    fn end_when_signed_out(self, error: &AppError) {
        if *error == AppError::SignedOut && self.is_watched() {
            self.close();
            self.live.lost.set(false);
            self.live.signed_out.set(true);
        }
    }
}

/// How long to wait after so many failures in a row.
fn wait(failures: u32) -> Duration {
    let doubled = FIRST_WAIT_SECS << failures.saturating_sub(1).min(5);
    Duration::from_secs(doubled.min(LONGEST_WAIT_SECS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_minute() {
        let waits: Vec<_> = [1, 2, 3, 5, 6, 40].map(|failures| wait(failures).as_secs()).to_vec();
        assert_eq!(waits, [2, 4, 8, 32, 60, 60]);
    }
}
