//! What a store is asked for that the embedded endpoint does not know: tags of posters and rules of the bucket. A server of
//! the test's own writes the requests down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use domain::VideoId;
use secrecy::SecretString;
use storage::{Error, Key, LifecycleRule, Settings, Store};
use uuid::Uuid;

/// A request: its first line with its headers, and its body.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Answers every request with what `say` says to its first line.
fn listen(say: fn(&str) -> String) -> (Store, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let kept = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                head.push_str(&line.to_lowercase());
                line.clear();
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            let mut body = vec![0; length.trim().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let said = say(head.lines().next().unwrap_or_default());
            kept.lock().unwrap().push((head, String::from_utf8_lossy(&body).into_owned()));
            reader.get_mut().write_all(said.as_bytes()).unwrap();
        }
    });
    let settings = Settings {
        endpoint: Some(endpoint),
        region: "auto".into(),
        bucket: "lookreel-media".into(),
        access_key_id: "desk".into(),
        secret_access_key: SecretString::from("open sesame"),
        path_style: true,
    };
    let store = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(Store::connect(settings)));
    (store.unwrap(), seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn posters_are_tagged_where_the_store_knows_tags_and_nothing_else_is() {
    let video = VideoId::from_uuid(Uuid::from_u128(7));
    let poster = Key::thumbnail(video, "thumb.jpg").unwrap();
    let rung = Key::rendition(video, "720p.mp4").unwrap();
    let (store, seen) = listen(|_| EMPTY.to_owned());
    let tagged = store.clone().with_tags(true);
    for (store, key) in [(&store, &poster), (&tagged, &rung), (&tagged, &poster)] {
        store.put_bytes(key, "bytes".into(), "image/jpeg").await.unwrap();
    }
    let tags: Vec<_> =
        seen.lock().unwrap().iter().map(|(head, _)| head.contains("x-amz-tagging: tier=intelligent")).collect();
    assert_eq!(tags, [false, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_the_bucket_are_written_beside_those_of_others() {
    let (store, seen) = listen(|line| {
        if line.starts_with("get") {
            let rules = "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter><Prefix>logs/</Prefix></Filter>\
                <Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule><Rule><ID>lookreel-old</ID>\
                <Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
                </LifecycleConfiguration>";
            answer("200 OK", rules)
        } else {
            EMPTY.to_owned()
        }
    });
    store.with_tags(true).write_lifecycle_rules().await.unwrap();
    let (_, body) = seen.lock().unwrap().last().cloned().unwrap();
    for part in [
        "<ID>theirs</ID>",
        "<Days>9</Days>",
        "<ID>lookreel-abort-unfinished-uploads</ID>",
        "<DaysAfterInitiation>1</DaysAfterInitiation>",
        "<Key>tier</Key><Value>intelligent</Value>",
        "<StorageClass>INTELLIGENT_TIERING</StorageClass>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("lookreel-old"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_rules_gets_ours_and_one_that_knows_none_says_so() {
    let (store, seen) = listen(|line| {
        let body = "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>";
        if line.starts_with("get") { answer("404 Not Found", body) } else { EMPTY.to_owned() }
    });
    assert_eq!(store.lifecycle_rules(), [LifecycleRule::AbortUnfinishedUploads], "no tags, no tiers");
    store.write_lifecycle_rules().await.unwrap();
    assert!(seen.lock().unwrap().last().unwrap().1.contains("abort-unfinished-uploads"));
    let (store, _) = listen(|_| {
        let body = "<Error><Code>MethodNotAllowed</Code></Error>";
        answer("405 Method Not Allowed", body)
    });
    assert!(matches!(store.write_lifecycle_rules().await, Err(Error::Invalid(_))));
}
