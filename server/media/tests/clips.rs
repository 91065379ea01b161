//! Good clips of every shape, through the real encoder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use bench::{Bench, plan, sizes};
use domain::Resolution::{P720, P1080};
use media::{EncodePlan, ShorterClip};

#[tokio::test]
async fn a_portrait_clip_stays_portrait() {
    let bench = Bench::new().await;
    let input = bench.clip("720x1280", "24", "1", "");
    let result = bench.encode(&input, plan(P1080, 24, 4)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 720, 1280)], "a 720p source has no 1080p rung");
    assert_eq!((result.poster.width, result.poster.height), (720, 1280));
    assert_eq!(bench.look(&result.renditions[0].path)["streams"][0]["sample_aspect_ratio"], "1:1");
}

#[tokio::test]
async fn a_clip_of_few_frames_is_slowed_down_to_the_length_that_was_asked_for() {
    let bench = Bench::new().await;
    // What Stable Video Diffusion makes: 25 frames, as slow as it can.
    let input = bench.clip("576x768", "10", "2.5", "");
    let asked = EncodePlan { shorter: ShorterClip::SlowsDown, ..plan(P720, 24, 4) };
    let result = bench.encode(&input, asked).await.unwrap();
    let made = &result.renditions[0];
    assert_eq!((made.frames, made.fps, made.duration_ms), (96, 24, 4000));
    assert_eq!(sizes(&result), [("720p", 576, 768)]);
    // A frame less than asked for is no reason to blend every frame with its neighbour.
    let nearly = bench.clip("320x426", "24", "2.9", "");
    let asked = EncodePlan { shorter: ShorterClip::SlowsDown, ..plan(P720, 24, 3) };
    assert!(bench.encode(&nearly, asked).await.unwrap().renditions[0].frames < 72);
}

#[tokio::test]
async fn one_process_makes_both_rungs_as_specified() {
    let bench = Bench::new().await;
    let sound = "-f lavfi -i sine=d=5 -c:a aac -shortest -metadata title=secret-prompt -metadata comment=job-17";
    let source = "-f lavfi -i testsrc2=s=1920x1080:r=24:d=3.5";
    let input = bench.make(&format!("{source} {sound} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"), "in.mp4");
    assert!(bench.probe(&input).await.unwrap().has_audio);
    let result = bench.encode(&input, plan(P1080, 24, 3)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 1280, 720), ("1080p", 1920, 1080)]);

    for (made, codecs) in result.renditions.iter().zip(["avc1.64001f", "avc1.640028"]) {
        assert_eq!(made.codecs, codecs);
        assert_eq!((made.frames, made.fps, made.duration_ms), (72, 24, 3000), "cut to the asked length");
        let told = bench.look(&made.path);
        let tracks = told["streams"].as_array().unwrap();
        assert_eq!(tracks.len(), 1, "the sound is dropped");
        let expected = [
            ("codec_name", "h264"),
            ("pix_fmt", "yuv420p"),
            ("profile", "High"),
            ("color_space", "bt709"),
            ("color_transfer", "bt709"),
            ("color_primaries", "bt709"),
            ("color_range", "tv"),
            ("avg_frame_rate", "24/1"),
            ("r_frame_rate", "24/1"),
        ];
        for (field, value) in expected {
            assert_eq!(tracks[0][field], value, "{field}");
        }
        let bytes = std::fs::read(&made.path).unwrap();
        assert_eq!(bytes.len() as u64, made.bytes);
        let at = |word: &[u8]| bytes.windows(word.len()).position(|window| window == word);
        assert!(at(b"moov").unwrap() < at(b"mdat").unwrap(), "playing can begin before everything is there");
        assert!(at(b"secret-prompt").is_none() && at(b"job-17").is_none(), "metadata is left behind");
        assert_eq!(key_frames(&bench, &made.path), ["0.000000", "2.000000"]);
    }

    let poster = std::fs::read(&result.poster.path).unwrap();
    assert_eq!(poster.len() as u64, result.poster.bytes);
    for word in [&b"Lavc"[..], b"Exif", b"secret", b"job-17"] {
        assert!(!poster.windows(word.len()).any(|window| window == word));
    }
    let told = bench.told.lock().unwrap();
    assert!(told.is_sorted_by(|one, two| one < two) && told.last() == Some(&100), "{told:?}");
    assert!(told.len() > 2, "progress is measured on the way: {told:?}");
}

fn key_frames(bench: &Bench, path: &std::path::Path) -> Vec<String> {
    let mut command = std::process::Command::new(bench.tools.ffprobe());
    command.args(["-v", "error", "-skip_frame", "nokey", "-show_entries", "frame=pts_time", "-of", "csv=p=0", "-i"]);
    let told = String::from_utf8(command.arg(path).output().unwrap().stdout).unwrap();
    told.lines().map(|line| line.trim_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn a_small_odd_clip_is_neither_enlarged_nor_odd() {
    let bench = Bench::new().await;
    let source = "-f lavfi -i testsrc2=s=320x240:r=24:d=1 -vf crop=301:239:exact=1";
    let input = bench.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv444p"), "in.mp4");
    let info = bench.probe(&input).await.unwrap();
    assert_eq!((info.width, info.height), (301, 239));
    let result = bench.encode(&input, plan(P1080, 30, 3)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 300, 238)]);
    assert_eq!(bench.look(&result.renditions[0].path)["streams"][0]["pix_fmt"], "yuv420p");
}

#[tokio::test]
async fn sixty_and_varying_frame_rates_become_constant() {
    let bench = Bench::new().await;
    let input = bench.clip("320x568", "60", "1", "");
    let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    assert_eq!((result.renditions[0].frames, result.renditions[0].duration_ms), (24, 1000));

    // Every third frame is missing in the first half second, later two of three.
    let holes = "-vf select='if(lt(t,0.5),mod(n,3),not(mod(n,3)))' -vsync vfr";
    let input = bench.clip("320x568", "30", "1", holes);
    let info = bench.probe(&input).await.unwrap();
    let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    let told = bench.look(&result.renditions[0].path);
    assert_eq!(told["streams"][0]["avg_frame_rate"], "24/1");
    assert!(info.frames.is_some_and(|frames| frames < result.renditions[0].frames), "holes are filled: {info:?}");
    assert!(result.renditions[0].duration_ms.abs_diff(info.duration_ms) <= 42, "{info:?} {:?}", result.renditions[0]);
}

#[tokio::test]
async fn rotation_is_applied_and_dropped() {
    let bench = Bench::new().await;
    bench.make("-f lavfi -i color=red:s=320x240:r=24:d=1 -vf drawbox=w=160:color=blue:t=fill -c:v libx264 -preset ultrafast -pix_fmt yuv420p", "flat.mp4");
    let input = bench.make("-i flat.mp4 -c copy -metadata:s:v rotate=90", "in.mp4");
    let info = bench.probe(&input).await.unwrap();
    assert_eq!((info.width, info.height), (240, 320));
    let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 240, 320)]);
    let path = &result.renditions[0].path;
    let track = &bench.look(path)["streams"][0];
    assert!(track["side_data_list"].is_null(), "{track}");
    // The halves lie above each other now, as a player would have shown them.
    let player = [bench.colour(&input, "0", "200:100:20:20"), bench.colour(&input, "0", "200:100:20:200")];
    let ours = [bench.colour(path, "0", "200:100:20:20"), bench.colour(path, "0", "200:100:20:200")];
    assert_eq!(player[0][0] > 128, ours[0][0] > 128);
    assert_ne!(ours[0][0] > 128, ours[1][0] > 128);
}

#[tokio::test]
async fn wide_pixels_are_made_square() {
    let bench = Bench::new().await;
    let input = bench.clip("360x288", "24", "1", "-vf setsar=64/45");
    let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 512, 288)]);
}

#[tokio::test]
async fn colours_survive_in_clip_and_poster() {
    let bench = Bench::new().await;
    // Tagged as most providers do (BT.709) and not tagged at all, ten bits deep: both must look alike afterwards.
    let source = "-f lavfi -i color=0xC03020:s=720x720:r=24:d=1 -vf scale=out_color_matrix=bt709:out_range=tv";
    let encoder = "-c:v libx264 -preset ultrafast";
    for (format, tags) in [("yuv420p", "-colorspace bt709"), ("yuv420p10le", "")] {
        let input = bench.make(&format!("{source},format={format} {encoder} {tags}"), "in.mp4");
        let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
        let [y, cb, cr] = bench.sample(&result.renditions[0].path).map(f64::from);
        // ITU-R BT.709, limited range.
        let (y, cb, cr) = (1.1644 * (y - 16.0), cb - 128.0, cr - 128.0);
        let clip = [y + 1.7927 * cr, y - 0.2132 * cb - 0.5329 * cr, y + 2.1124 * cb];
        let poster = image::open(&result.poster.path).unwrap().into_rgb8();
        let poster = poster.get_pixel(360, 360).0.map(f64::from);
        for seen in [clip, poster] {
            let is_near = seen.iter().zip([192.0, 48.0, 32.0]).all(|(one, two)| (one - two).abs() <= 6.0);
            assert!(is_near, "{seen:?} instead of [192, 48, 32], source {format}");
        }
    }
}

#[tokio::test]
async fn a_webm_with_a_strange_name_is_taken() {
    let bench = Bench::new().await;
    let source = "-f lavfi -i testsrc2=s=320x320:r=24:d=1 -c:v libvpx -deadline realtime -cpu-used 8";
    let input = bench.make(source, "clip.webm");
    let strange = bench.path("-i %d 'http:;$(touch hit) 영상.mp4");
    std::fs::rename(input, &strange).unwrap();
    let result = bench.encode(&strange, plan(P720, 24, 3)).await.unwrap();
    assert_eq!(sizes(&result), [("720p", 320, 320)]);
    assert!(!bench.path("hit").exists());
}

#[tokio::test]
async fn the_same_clip_gives_the_same_bytes() {
    let bench = Bench::new().await;
    let input = bench.clip("320x320", "24", "1", "");
    let mut runs = Vec::new();
    for _ in 0..2 {
        let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
        runs.push((std::fs::read(&result.renditions[0].path).unwrap(), std::fs::read(&result.poster.path).unwrap()));
    }
    assert!(runs[0] == runs[1]);
}
