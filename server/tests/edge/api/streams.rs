//! Streams of events: however much was missed all of it is told, a caller has a few at a time, and one ends with its token.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use reqwest::Response;
use serde_json::{Value, json};

use super::{Code, common, problem};
use crate::{
    browser::{JSON, header},
    house::House,
};

const EVENTS: &str = "/api/admin/video-generation/events";
const PATIENCE: Duration = Duration::from_secs(60);
/// More than are read at once.
const MANY: i32 = 450;

async fn open(code: &Code, seen: Option<i64>) -> Response {
    let mut request = code.get(EVENTS);
    if let Some(seen) = seen {
        request = request.header("last-event-id", seen.to_string());
    }
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/event-stream"));
    answer
}

/// Ids and data of so many events.
async fn events(answer: Response, count: usize) -> Vec<(i64, Value)> {
    events_until(answer, |events| events.len() >= count).await
}

/// The same until there are enough.
async fn events_until(mut answer: Response, is_enough: impl Fn(&[(i64, Value)]) -> bool) -> Vec<(i64, Value)> {
    let (mut bytes, mut events, mut id) = (Vec::new(), Vec::new(), 0);
    let reading = async {
        while !is_enough(&events) {
            bytes.extend(answer.chunk().await.unwrap().expect("the stream goes on"));
            while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = bytes.drain(..=end).collect();
                let line = String::from_utf8(line).unwrap();
                if let Some(number) = line.strip_prefix("id:") {
                    id = number.trim().parse().unwrap();
                } else if let Some(data) = line.strip_prefix("data:") {
                    events.push((id, serde_json::from_str(data.trim()).unwrap()));
                }
            }
        }
    };
    let is_whole = tokio::time::timeout(PATIENCE, reading).await.is_ok();
    assert!(is_whole, "only {} events were told", events.len());
    events
}

fn jobs(events: &[(i64, Value)]) -> BTreeSet<String> {
    events.iter().map(|(_, generation)| generation["jobId"].as_str().unwrap().to_owned()).collect()
}

/// Copies of the only generation there is, which nobody works on.
const COPIES: &str =
    "insert into generations (id, product_id, photo_id, requested_by, request_key, recipe, prompt_version, model_type,
         duration_seconds, resolution, fps, max_attempts, job_id, video_id, day, format, hls, branding)
     select gen_random_uuid(), product_id, photo_id, requested_by, gen_random_uuid(), recipe, prompt_version, model_type,
         duration_seconds, resolution, fps, max_attempts, job_id, gen_random_uuid(), day, format, hls, branding
     from generations cross join generate_series(1, $1)";

#[tokio::test]
async fn however_much_was_missed_all_of_it_is_told() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("many").await;
    let code = Code::of(&house).await;
    let admin = house.admin().await;
    let fields = [("scope", "everything"), ("reason", "nobody works on these")];
    let paused = admin.post("/api/admin/queue/pause", JSON, &fields).send().await.unwrap();
    assert!(paused.status().is_success(), "{}", paused.status());
    let body = json!({"productId": product.id.to_string()});
    let made = code.post("/api/admin/video-generation", &body).send().await.unwrap();
    assert_eq!(made.status(), 202);
    let mut conn = house.ground.database.connect().await;
    sqlx::query(COPIES).bind(MANY).execute(&mut conn).await.unwrap();
    let count = usize::try_from(MANY).unwrap() + 1;
    let live = events(open(&code, None).await, count).await;
    assert_eq!(jobs(&live).len(), count, "each of those under way");
    assert!(live.is_sorted_by_key(|(id, _)| *id), "in the order of their ids");
    let seen = live.last().unwrap().0;
    // They end while the reader is away.
    sqlx::query("update generations set state = 'failed', failure_code = 'internal', finished_at = now()")
        .execute(&mut conn)
        .await
        .unwrap();
    let ended = events(open(&code, Some(seen)).await, count).await;
    assert_eq!(jobs(&ended).len(), count, "each of those that ended");
    assert!(ended.iter().all(|(_, generation)| generation["status"] == "FAILED"));
    // A connection that breaks off in the middle is gone on with from there.
    let half = ended[count / 2].0;
    assert!(ended.is_sorted_by_key(|(id, _)| *id) && half > seen);
    let rest = events(open(&code, Some(half)).await, count - count / 2 - 1).await;
    let expected = jobs(&ended[count / 2 + 1..]);
    assert_eq!(jobs(&rest), expected);
    // An id of another server is further than anything here: what comes is told all the same.
    let stranger = open(&code, Some(i64::MAX)).await;
    let made = super::json(code.post("/api/admin/video-generation", &body).send().await.unwrap(), 202).await;
    let told = events_until(stranger, |told| told.iter().any(|(_, event)| event["jobId"] == made["jobId"])).await;
    assert!(told.len() < 5, "and not everything there ever was");
}

#[tokio::test]
async fn a_caller_has_so_many_streams_and_each_that_ends_makes_room() {
    let (code, _) = common().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(open(&code, None).await);
    }
    let answer = code.get(EVENTS).send().await.unwrap();
    assert!(header(&answer, "retry-after").parse::<u64>().is_ok_and(|wait| wait > 0));
    problem(answer, 429, "too_many_streams").await;
    open(&common().await.0, None).await;
    streams.pop();
    let begun = Instant::now();
    while code.get(EVENTS).send().await.unwrap().status() != 200 {
        assert!(begun.elapsed() < PATIENCE, "one that ended makes room");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let house = House::build(&[]).await;
    let code = Code::of(&house).await;
    let mut stream = open(&code, None).await;
    let mut conn = house.ground.database.connect().await;
    sqlx::query("update api_tokens set revoked_at = now()").execute(&mut conn).await.unwrap();
    let reading = async { while stream.chunk().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(13), reading).await;
    assert!(ended.is_ok(), "within ten seconds, and what a busy machine needs");
}
