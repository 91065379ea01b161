//! Traces: what a request sets in motion belongs to the trace its caller began, also after the queue.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use nix::sys::signal::Signal;
use uuid::Uuid;

use crate::{
    click::{Choices, generation_of, wait_until},
    house::House,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

type Received = Arc<Mutex<Vec<u8>>>;

/// What an OpenTelemetry collector does with OTLP over HTTP, as far as a test needs it: it keeps the bytes.
async fn collector() -> (String, Received) {
    let received = Received::default();
    let keep = async |State(received): State<Received>, body: Bytes| received.lock().unwrap().extend_from_slice(&body);
    let router = Router::new().route("/v1/traces", post(keep)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, received)
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_is_followed_through_the_queue_to_the_providers() {
    let (url, received) = collector().await;
    let house = House::build(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]).await;
    let product = house.ground.add_product("traced").await;
    let (admin, key) = (house.admin().await, Uuid::now_v7());
    let (id, word) = (product.id.to_string(), key.to_string());
    let choices = Choices::default();
    let form = admin.post("/api/admin/generations/create", "application/json", &choices.fields(&id, &word));
    let answer = form.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01")).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let generation = generation_of(&house.ground.database, key).await;
    let end = wait_until(&house.ground.database, generation, |_| false).await;
    assert_eq!(end.state, "completed", "{}", house.program.log());
    let others = "select count(*) from jobs where payload ? 'generation_id'
         and (trace_parent is null or trace_parent not like '00-4bf92f3577b34da6a3ce929d0e0e4736-%')";
    assert_eq!(house.ground.database.number(others).await, 0, "every job of the generation carries the trace");

    tokio::task::spawn_blocking(move || house.program.stop(Signal::SIGTERM)).await.unwrap();
    let bytes = received.lock().unwrap().clone();
    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    // The request, the jobs, three paid requests and ffmpeg.
    assert!(count(&bytes, &trace) >= 6, "{} spans are of the trace", count(&bytes, &trace));
    for name in ["POST /api/admin/generations/create", "provider: paid request", "ffmpeg", "lookreel"] {
        assert!(count(&bytes, name.as_bytes()) >= 1, "no span says {name}");
    }
}
