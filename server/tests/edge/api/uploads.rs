//! Files are in memory until they are stored: a few are taken at a time.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{Code, form, json, problem};
use crate::{
    browser::header,
    house::{House, photo},
};

/// Those of one token that come too slowly to be done.
const SLOW: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// Files that never come whole.
async fn slow(host: &str, code: &Code) -> Vec<TcpStream> {
    let head = format!(
        "POST /api/video/tryon-images HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         content-type: multipart/form-data; boundary=edge\r\ncontent-length: 5000\r\n\r\n--edge\r\n",
        code.token
    );
    let mut streams = Vec::new();
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

/// Sends a file until it is refused: as long as one of the slow has not begun there is room.
async fn until_refused(code: &Code, whole: &[u8]) {
    let begun = Instant::now();
    loop {
        let answer = code.upload_form(whole).send().await.unwrap();
        if answer.status() == 429 {
            assert!(header(&answer, "retry-after").parse::<u64>().is_ok_and(|wait| wait > 0));
            problem(answer, 429, "too_many_uploads").await;
            return;
        }
        json(answer, 201).await;
        assert!(begun.elapsed() < PATIENCE, "all of them have begun");
    }
}

#[tokio::test]
async fn so_many_files_of_one_token_are_taken_at_once_and_others_have_their_own() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("crowd").await;
    let whole = form(&product.id.to_string(), &photo());
    let host = house.url.strip_prefix("http://").unwrap();
    let (one, two) = (Code::of(&house).await, Code::of(&house).await);
    let of_one = slow(host, &one).await;
    until_refused(&one, &whole).await;
    json(two.upload_form(&whole).send().await.unwrap(), 201).await;
    drop(of_one);
    let begun = Instant::now();
    loop {
        let answer = one.upload_form(&whole).send().await.unwrap();
        if answer.status() == 201 {
            break;
        }
        problem(answer, 429, "too_many_uploads").await;
        assert!(begun.elapsed() < PATIENCE, "those that are gone make room");
    }
}
