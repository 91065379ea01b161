//! Webhooks of shops, where two things happen at once or something fails in between.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::Utc;
use domain::{EndpointId, GenerationState};
use engine::{Delivery, Error, NewEndpoint, WebhookEvent};
use jobs::NewJob;
use serde_json::json;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    shop::{Shop, until},
    store,
};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

/// A shop that takes every message, and counts them.
async fn open_inbox() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            take(socket, &count).await;
        }
    });
    (url, taken)
}

/// Reads one request to its end and answers 204.
async fn take(mut socket: TcpStream, count: &AtomicUsize) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if socket.read_buf(&mut request).await.unwrap() == 0 {
            return;
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    socket.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await.unwrap();
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.is_none_or(|length| body.len() >= length.trim().parse::<usize>().unwrap())
}

/// Adds an address that wants to be told everything.
async fn add(shop: &Shop, url: &str) -> EndpointId {
    let events = WebhookEvent::ALL.to_vec();
    let new = NewEndpoint { url: url.to_owned(), events, description: String::new() };
    shop.engine.add_endpoint(shop.person, &new).await.unwrap().id
}

async fn deliveries(shop: &Shop, endpoint: EndpointId) -> Vec<Delivery> {
    shop.engine.deliveries(endpoint, None, 10).await.unwrap()
}

/// The only message of an address.
async fn only(shop: &Shop, endpoint: EndpointId) -> Delivery {
    let [delivery] = <[Delivery; 1]>::try_from(deliveries(shop, endpoint).await).unwrap();
    delivery
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_message_is_delivered_when_its_job_has_ended_and_can_be_sent_again_from_then_on(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (url, taken) = open_inbox().await;
    let endpoint = add(&shop, &url).await;
    let id = shop.engine.ping_endpoint(endpoint).await.unwrap();
    let worker = shop.worker();
    store::refuse_succeeded_jobs(&shop.pg, true).await;
    shop.work_until(&worker, "the message", async || taken.load(Ordering::SeqCst) > 0).await;
    assert_eq!(only(&shop, endpoint).await.state, "pending", "the end of its job could not be written");
    // Its job goes on at once; a second one would tell it twice.
    shop.engine.replay_delivery(shop.person, endpoint, id).await.unwrap();
    assert_eq!(store::jobs_of_kind(&shop.pg, "webhook").await, 1);
    store::refuse_succeeded_jobs(&shop.pg, false).await;
    shop.work_until(&worker, "the end", async || only(&shop, endpoint).await.state == "delivered").await;
    let before = taken.load(Ordering::SeqCst);
    shop.engine.replay_delivery(shop.person, endpoint, id).await.unwrap();
    assert_eq!(only(&shop, endpoint).await.state, "pending");
    shop.work_until(&worker, "the replay", async || only(&shop, endpoint).await.state == "delivered").await;
    assert_eq!(taken.load(Ordering::SeqCst), before + 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_goes_with_what_it_is_being_told(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let endpoint = add(&shop, NOWHERE).await;
    let mut tx = shop.pg.begin().await.unwrap();
    store::insert_delivery(&mut tx, endpoint).await;
    let (engine, person) = (shop.engine.clone(), shop.person);
    let removing = tokio::spawn(async move { engine.remove_endpoint(person, endpoint).await });
    until("the removal to wait", async || store::somebody_waits(&shop.pg).await).await;
    tx.commit().await.unwrap();
    removing.await.unwrap().unwrap();
    assert!(matches!(shop.engine.endpoint(endpoint).await, Err(Error::NotFound(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_that_is_being_removed_stops_no_generation(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let endpoint = add(&shop, NOWHERE).await;
    let id = shop.click().await;
    let mut tx = shop.pg.begin().await.unwrap();
    store::delete_endpoint(&mut tx, endpoint).await;
    let (engine, person) = (shop.engine.clone(), shop.person);
    let cancelling = tokio::spawn(async move { engine.cancel(person, id).await });
    until("the change to wait", async || store::somebody_waits(&shop.pg).await).await;
    tx.commit().await.unwrap();
    cancelling.await.unwrap().unwrap();
    assert_eq!(shop.view(id).await.state, GenerationState::Cancelled);
    assert!(matches!(shop.engine.ping_endpoint(endpoint).await, Err(Error::NotFound(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_written_for_an_address_that_is_gone_by_then_is_given_up(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let (url, taken) = open_inbox().await;
    let endpoint = add(&shop, &url).await;
    shop.engine.ping_endpoint(endpoint).await.unwrap();
    store::disable_endpoint(&shop.pg, endpoint).await;
    let worker = shop.worker();
    shop.work_until(&worker, "the end", async || only(&shop, endpoint).await.state == "failed").await;
    let end = only(&shop, endpoint).await;
    assert_eq!((end.tries, end.next_try_at, taken.load(Ordering::SeqCst)), (0, None, 0), "{end:?}");
    assert!(end.last_error.is_some(), "{end:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn messages_are_forgotten_after_thirty_days_however_they_stand(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let endpoint = add(&shop, NOWHERE).await;
    shop.engine.ping_endpoint(endpoint).await.unwrap();
    let worker = shop.worker();
    shop.work_until(&worker, "the first try", async || only(&shop, endpoint).await.tries == 1).await;
    for (days, left) in [(29, 1), (2, 0)] {
        store::age_deliveries(&shop.pg, days).await;
        let job = NewJob::new("retention", "local", json!({ "tick": Utc::now() }));
        let job = jobs::enqueue(&mut shop.pg.acquire().await.unwrap(), &job).await.unwrap();
        shop.work_until(&worker, "retention", async || store::has_succeeded(&shop.pg, job).await).await;
        let found = deliveries(&shop, endpoint).await;
        assert_eq!(found.len(), left, "{found:?}");
        assert!(found.iter().all(|delivery| delivery.state == "pending"), "{found:?}");
    }
}
