//! Bad clips, and encodes that end early: a clear error, nothing left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bench::{Bench, plan};
use domain::Resolution::{P720, P1080};
use media::{Error, encode};
use tokio_util::sync::CancellationToken;

fn cut(path: &Path, part: usize) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() * part / 100]).unwrap();
}

#[tokio::test]
async fn a_clip_without_its_header_is_corrupt() {
    let bench = Bench::new().await;
    let input = bench.clip("320x568", "24", "1", "");
    cut(&input, 60);
    let error = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)) && !error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_clip_that_ends_too_early_is_corrupt_and_leaves_nothing() {
    let bench = Bench::new().await;
    let input = bench.clip("320x568", "24", "2", "-movflags +faststart");
    cut(&input, 60);
    bench.probe(&input).await.expect("the header is whole");
    let error = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn damaged_frames_are_corrupt() {
    let bench = Bench::new().await;
    let input = bench.clip("320x568", "24", "1", "-movflags +faststart");
    let mut bytes = std::fs::read(&input).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 2000].fill(0);
    std::fs::write(&input, bytes).unwrap();
    let error = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_clip_is_refused() {
    let bench = Bench::new().await;
    let path = bench.path("clip.mp4");
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(bench.probe(&path).await, Err(Error::Corrupt(_))));
    for bytes in [&b"<html>"[..], b"\x89PNG\r\n\x1a\n", b"ffconcat version 1.0\nfile secret.mp4\n", b"abc"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(bench.probe(&path).await, Err(Error::NotAVideo(_))));
    }
    std::fs::write(&path, b"\0\0\0\x18ftypisom\0\0\0\0isomisom").unwrap();
    assert!(matches!(bench.probe(&path).await, Err(Error::Corrupt(_))));
    assert!(matches!(bench.probe(&bench.path("gone.mp4")).await, Err(Error::Disk(_))));
    let sound = bench.make("-f lavfi -i sine=d=1 -c:a aac", "sound.mp4");
    assert!(matches!(bench.probe(&sound).await, Err(Error::NotAVideo(_))));
}

#[tokio::test]
async fn a_playlist_in_disguise_is_refused() {
    let bench = Bench::new().await;
    bench.make("-f lavfi -i testsrc2=s=320x320:r=24:d=1 -c:v libx264 -preset ultrafast -f mpegts", "other.ts");
    let path = bench.path("clip.mp4");
    std::fs::write(&path, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n").unwrap();
    let error = bench.probe(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotAVideo(_)), "{error:?}");
    // Even whoever skips the first look does not get the other file's frames.
    let good = bench.clip("320x320", "24", "1", "");
    let info = bench.probe(&good).await.unwrap();
    let token = CancellationToken::new();
    let plan = plan(P720, 24, 3);
    let error = encode(&bench.tools, &path, &info, &plan, &bench.out(), &token, |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::NotAVideo(_)), "{error:?}");
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn limits_are_kept() {
    let bench = Bench::new().await;
    let long = "-f lavfi -i color=s=64x64:r=1:d=61 -c:v libx264 -preset ultrafast";
    assert!(matches!(bench.probe(&bench.make(long, "long.mp4")).await, Err(Error::TooLarge(_))));
    let wide = "-f lavfi -i color=s=4100x64:r=24:d=0.2 -c:v libx264 -preset ultrafast";
    assert!(matches!(bench.probe(&bench.make(wide, "wide.mp4")).await, Err(Error::TooLarge(_))));
    let tiny = "-f lavfi -i color=s=62x64:r=24:d=0.2 -c:v libx264 -preset ultrafast";
    assert!(matches!(bench.probe(&bench.make(tiny, "tiny.mp4")).await, Err(Error::TooSmall(_))));
    let fast = "-f lavfi -i color=s=64x64:r=120:d=0.2 -c:v libx264 -preset ultrafast";
    assert!(matches!(bench.probe(&bench.make(fast, "fast.mp4")).await, Err(Error::TooLarge(_))));
    let other = "-f lavfi -i color=s=64x64:r=24:d=0.2 -c:v ffv1";
    assert!(bench.probe(&bench.make(other, "other.mkv")).await.is_err());
}

#[tokio::test]
async fn a_header_that_promises_ten_hours_is_refused() {
    let bench = Bench::new().await;
    // Two frames, five hours apart: 3 kB that would become 864,000 frames.
    let slow = "-f lavfi -i color=s=64x64:r=1/18000:d=36000 -c:v libx264 -preset ultrafast";
    let input = bench.make(slow, "in.mp4");
    let error = bench.probe(&input).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error:?}");
}

#[tokio::test]
async fn cancelling_kills_the_encoder_and_leaves_nothing() {
    let bench = Bench::new().await;
    let input = bench.clip("1080x1920", "30", "5", "");
    let info = bench.probe(&input).await.unwrap();
    let (token, plan, out) = (CancellationToken::new(), plan(P1080, 30, 5), bench.out());
    let cancelled_at = std::sync::OnceLock::new();
    let tell = |_| {
        assert!(bench.processes() > 0, "the encoder runs while progress is told");
        cancelled_at.get_or_init(Instant::now);
        token.cancel();
    };
    let error = encode(&bench.tools, &input, &info, &plan, &out, &token, tell).await.unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
    is_gone(&bench).await;
    assert!(cancelled_at.get().expect("progress was told").elapsed() < Duration::from_secs(1));
    assert_eq!(bench.left(), [""; 0]);
    let again = encode(&bench.tools, &input, &info, &plan, &out, &token, |_| {}).await;
    assert!(matches!(again, Err(Error::Cancelled)), "a cancelled token starts nothing");
}

#[tokio::test]
async fn dropping_the_job_kills_the_encoder_and_leaves_nothing() {
    let bench = Bench::new().await;
    let input = bench.clip("1080x1920", "30", "5", "");
    let info = bench.probe(&input).await.unwrap();
    let (token, plan, out) = (CancellationToken::new(), plan(P1080, 30, 5), bench.out());
    let begun = tokio::sync::Notify::new();
    let job = encode(&bench.tools, &input, &info, &plan, &out, &token, |_| begun.notify_one());
    tokio::select! {
        result = job => panic!("it should not end: {result:?}"),
        () = begun.notified() => {}
    }
    is_gone(&bench).await;
    assert_eq!(bench.left(), [""; 0]);
}

/// Killed is not gone yet: a sandbox takes moments to be taken down.
async fn is_gone(bench: &Bench) {
    let gone = async {
        while bench.processes() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), gone).await.expect("the encoder is gone");
}

#[tokio::test]
async fn deep_and_wide_colours_become_what_every_screen_shows() {
    let bench = Bench::new().await;
    let source = "-f lavfi -i testsrc2=s=320x568:r=24:d=3";
    for (words, kind) in [
        ("-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -profile:v high10", "10 bit"),
        ("-c:v libx264 -preset ultrafast -pix_fmt yuv444p -profile:v high444", "4:4:4"),
        ("-c:v libx265 -preset ultrafast -pix_fmt yuv422p10le -x265-params log-level=none", "4:2:2 in 10 bit"),
    ] {
        let input = bench.make(&format!("{source} {words}"), "in.mp4");
        let made = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        let told = bench.look(&made.renditions[0].path);
        assert_eq!(told["streams"][0]["pix_fmt"], "yuv420p", "{kind}");
        std::fs::remove_dir_all(bench.out()).unwrap();
    }
    // High dynamic range would look washed out: it is refused, and said so.
    for transfer in ["smpte2084", "arib-std-b67"] {
        let words = format!(
            "{source} -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_trc {transfer} -x265-params log-level=none:transfer={transfer}"
        );
        let input = bench.make(&words, "hdr.mp4");
        let error = bench.probe(&input).await.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{transfer}: {error:?}");
    }
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn no_name_is_taken_for_anything_but_a_name() {
    let bench = Bench::new().await;
    let clip = std::fs::read(bench.clip("320x568", "24", "3", "")).unwrap();
    let secret = bench.path("secret.txt");
    std::fs::write(&secret, "nobody's business").unwrap();
    for name in [
        "-i.mp4",
        "-y",
        "clip%03d.mp4",
        "concat:secret.txt|secret.txt",
        "http:example.mp4",
        "a;touch owned.mp4",
        "$(touch owned).mp4",
        "`touch owned`.mp4",
        "clip'quoted\".mp4",
        "clip\nline.mp4",
        "옷 한 벌.mp4",
        " .mp4",
    ] {
        let input = bench.path(name);
        std::fs::write(&input, &clip).unwrap();
        let made = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_or_else(|error| panic!("{name:?}: {error:?}"));
        assert_eq!(made.renditions[0].frames, 72, "{name:?}");
        std::fs::remove_dir_all(bench.out()).unwrap();
    }
    assert!(!bench.path("owned").exists() && !Path::new("owned").exists() && !Path::new("owned.mp4").exists());
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "nobody's business");
}

#[tokio::test]
async fn sound_is_left_behind_and_texts_are_not_even_opened() {
    let bench = Bench::new().await;
    let source = "-f lavfi -i testsrc2=s=320x568:r=24:d=3 -f lavfi -i sine=d=3";
    let coded = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest";
    let input = bench.make(&format!("{source} {coded}"), "in.mp4");
    let made = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    let told = bench.look(&made.renditions[0].path);
    assert_eq!(told["streams"].as_array().unwrap().len(), 1, "{told}");
    let words = bench.path("words.srt");
    std::fs::write(&words, "1\n00:00:00,000 --> 00:00:02,000\nbuy elsewhere\n").unwrap();
    let words = words.display();
    let input = bench.make(&format!("{source} -i {words} -map 0 -map 1 -map 2 {coded} -c:s mov_text"), "texts.mp4");
    let error = bench.probe(&input).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)) && !error.is_retryable(), "{error:?}");
}
