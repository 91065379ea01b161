//! Files are in memory until they are stored: a few are taken at a time.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{Code, form, json, problem};
use crate::{
    browser::header,
    house::{House, photo},
};

/// Those that come too slowly to be done.
const SLOW: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn so_many_files_are_taken_at_once_and_the_next_is_told_when_to_come_back() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("crowd").await;
    let code = Code::of(&house).await;
    let host = house.url.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /api/video/tryon-images HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         content-type: multipart/form-data; boundary=edge\r\ncontent-length: 5000\r\n\r\n--edge\r\n",
        code.token
    );
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let whole = form(&product.id.to_string(), &photo());
    let begun = Instant::now();
    loop {
        // As long as one of them has not begun there is room.
        let answer = code.upload_form(&whole).send().await.unwrap();
        if answer.status() == 503 {
            assert!(header(&answer, "retry-after").parse::<u64>().is_ok_and(|wait| wait > 0));
            problem(answer, 503, "unavailable").await;
            break;
        }
        json(answer, 201).await;
        assert!(begun.elapsed() < PATIENCE, "all of them have begun");
    }
    drop(slow);
    let begun = Instant::now();
    loop {
        let answer = code.upload_form(&whole).send().await.unwrap();
        if answer.status() == 201 {
            break;
        }
        problem(answer, 503, "unavailable").await;
        assert!(begun.elapsed() < PATIENCE, "those that are gone make room");
    }
}
