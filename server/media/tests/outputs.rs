//! What is made besides H.264 in MP4: HLS, AV1, WebM, pictures, marks of origin, branding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use std::path::{Path, PathBuf};

use bench::{Bench, plan};
use domain::Resolution::{P720, P1080};
use media::{Brand, Codec, Corner, EncodePlan, Error, Extras, LabelLanguage, Unshowable};

const MARK: &[u8] = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

fn has(path: &Path, word: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(word.len()).any(|window| window == word)
}

fn with(extras: Extras, plan: EncodePlan) -> EncodePlan {
    EncodePlan { extras, ..plan }
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn hls_is_cut_out_of_the_same_encodes_and_told_truly() {
    let bench = Bench::new().await;
    for (size, shapes) in [("1080x1920", ["720x1280", "1080x1920"]), ("1920x1080", ["1280x720", "1920x1080"])] {
        let input = bench.clip(size, "24", "3.5", "");
        let extras = Extras { hls: true, ..Extras::default() };
        let result = bench.encode(&input, with(extras, plan(P1080, 24, 3))).await.unwrap();
        let package = result.hls.as_ref().unwrap();
        let names: Vec<_> = package.files.iter().map(|file| file.name.as_str()).collect();
        let of = |rung: &str| {
            ["init.mp4", "segment_0.m4s", "segment_1.m4s", "playlist.m3u8"].map(|it| format!("{rung}/{it}"))
        };
        assert_eq!(names, [&of("720p")[..], &of("1080p")[..], &["playlist.m3u8".to_owned()]].concat());
        let master = package.files.last().unwrap();
        let text = std::fs::read_to_string(&master.path).unwrap();
        let variants: Vec<&str> = text.lines().filter(|line| line.starts_with("#EXT-X-STREAM-INF:")).collect();
        for ((variant, shape), rendition) in variants.iter().zip(shapes).zip(&result.renditions) {
            assert!(variant.contains(&format!("RESOLUTION={shape},FRAME-RATE=24.000")), "{variant}");
            assert!(variant.contains(&format!("CODECS=\"{}\"", rendition.codecs)), "{variant}");
            let segment = |number: u32| {
                let name = format!("{}/segment_{number}.m4s", rendition.resolution.as_str());
                let file = package.files.iter().find(|file| file.name == name).unwrap();
                std::fs::metadata(&file.path).unwrap().len()
            };
            // Two seconds and one.
            let peak = (segment(0) * 4).max(segment(1) * 8);
            let average = ((segment(0) + segment(1)) * 8).div_ceil(3);
            assert!(variant.contains(&format!("BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},")), "{variant} {peak}");
        }
        // Another reader follows it down to the frames; what it finds are those of the progressive file.
        for (number, rendition) in result.renditions.iter().enumerate() {
            assert_eq!(frames(&bench, &master.path, number), frames(&bench, &rendition.path, 0));
        }
        std::fs::remove_dir_all(bench.out()).unwrap();
    }
}

/// Hash of every decoded frame of one video track.
fn frames(bench: &Bench, path: &Path, track: usize) -> Vec<String> {
    let mut command = std::process::Command::new(bench.tools.ffmpeg());
    command.args(["-v", "error", "-nostdin", "-i"]).arg(path);
    command.args(["-map", &format!("0:v:{track}"), "-f", "framemd5", "-"]);
    let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let hash = |line: &str| line.rsplit(',').next().map(|hash| hash.trim().to_owned());
    let hashes: Vec<String> = told.lines().filter(|line| !line.starts_with('#')).filter_map(hash).collect();
    assert_eq!(hashes.len(), 72, "{told}");
    hashes
}

#[tokio::test]
async fn other_codecs_are_made_where_they_are_asked_for() {
    let bench = Bench::new().await;
    let input = bench.clip("720x1280", "24", "3", "");
    let extras = Extras { av1: bench.tools.has_av1(), webm: true, hls: false };
    let result = bench.encode(&input, with(extras, plan(P720, 24, 3))).await.unwrap();
    let made: Vec<_> = result.renditions.iter().map(|it| (it.codec, it.codecs.as_str(), it.frames)).collect();
    let name = |index: usize| result.renditions[index].path.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(extras.av1, "this ffmpeg has no SVT-AV1");
    assert_eq!(made[0], (Codec::H264, "avc1.64001f", 72));
    assert_eq!((made[1].0, made[1].2, name(1)), (Codec::Av1, 72, "720p.av1.mp4".to_owned()));
    assert!(made[1].1.starts_with("av01.0.") && made[1].1.ends_with("M.08"), "{made:?}");
    assert_eq!((made[2], name(2)), ((Codec::Vp9, "vp09.00.31.08", 72), "720p.webm".to_owned()));
    assert_eq!(result.hls, None);
    let av1 = bench.look(&result.renditions[1].path);
    for (field, value) in [("color_space", "bt709"), ("color_transfer", "bt709"), ("pix_fmt", "yuv420p")] {
        assert_eq!(av1["streams"][0][field], value, "{field}");
    }
}

#[tokio::test]
async fn every_file_says_where_it_is_from_and_nothing_else() {
    let bench = Bench::new().await;
    let told = "-metadata title=secret-prompt -metadata comment=job-17";
    let input = bench.clip("720x1280", "24", "3", told);
    let extras = Extras { av1: bench.tools.has_av1(), webm: true, hls: true };
    let result = bench.encode(&input, with(extras, plan(P720, 24, 3))).await.unwrap();
    for path in all_files(&bench.out()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        for word in [&b"secret-prompt"[..], b"job-17", b"x264", b"Lavf", b"Lavc"] {
            // WebM has to name its muxer; what it names is that there is one.
            let is_named = name.ends_with(".webm") && word.starts_with(b"Lav");
            assert!(is_named || !has(&path, word), "{} in {name}", String::from_utf8_lossy(word));
        }
        // Fragments are part of the file their initialisation segment begins; they have no place of their own for it.
        let is_marked = ["720p.mp4", "720p.av1.mp4", "thumb.jpg", "thumb.webp", "strip.jpg"].contains(&name);
        assert_eq!(has(&path, MARK), is_marked, "{name}");
    }
    // A reader that knows nothing of us finds it.
    let mut exiftool = std::process::Command::new("exiftool");
    for path in [&result.renditions[0].path, &result.poster.path, &result.poster_webp.path] {
        exiftool.arg(path);
    }
    let told = exiftool.args(["-s3", "-XMP-iptcExt:DigitalSourceType"]).output().expect("exiftool is installed");
    let told = String::from_utf8(told.stdout).unwrap();
    assert_eq!(
        told.matches("trainedAlgorithmicMedia").count() + told.matches("Trained Algorithmic Media").count(),
        3,
        "{told}"
    );
}

#[tokio::test]
async fn the_strip_shows_the_clip_from_first_to_last() {
    let bench = Bench::new().await;
    // Brighter with every frame.
    let source = "-f lavfi -i color=black:s=320x568:r=24:d=3,geq=lum='40+2*N':cb=128:cr=128";
    let input = bench.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"), "in.mp4");
    let result = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    assert_eq!((result.strip.width, result.strip.height), (8 * 180, 320));
    let lights: Vec<u8> = (0..8)
        .map(|tile| bench.colour(&result.strip.path, "", &format!("100:100:{}:100", tile * 180 + 40))[0])
        .collect();
    assert!(lights.is_sorted_by(|one, next| one + 5 < *next), "{lights:?}");
}

#[tokio::test]
async fn what_nobody_should_be_shown_is_not_made() {
    let bench = Bench::new().await;
    let cases = [
        ("testsrc2=s=320x568:r=24:d=3,drawbox=c=black:t=fill:enable='between(t,1,1.8)'", Unshowable::Black),
        ("testsrc2=s=320x568:r=24:d=3,loop=loop=60:size=1:start=5", Unshowable::Frozen),
        ("color=white:s=320x568:r=24:d=3,geq=lum='60+150*mod(floor(N/3),2)':cb=128:cr=128", Unshowable::Flashing),
    ];
    for (source, reason) in cases {
        let words = format!("-f lavfi -i {source} -t 3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
        let input = bench.make(&words, "in.mp4");
        let error = bench.encode(&input, plan(P720, 24, 3)).await.unwrap_err();
        assert!(matches!(error, Error::Unshowable(found) if found == reason), "{reason:?}: {error:?}");
        assert!(!error.is_retryable());
        assert_eq!(bench.left(), [""; 0]);
    }
}

#[tokio::test]
async fn logo_and_label_are_laid_over_every_rung_in_their_corners() {
    let bench = Bench::new().await;
    let logo = bench.make("-f lavfi -i color=red:s=200x200:d=1 -frames:v 1", "red.png");
    let brand = |language| {
        let logo = std::fs::read(&logo).unwrap();
        Brand::new(Some(&logo), language, Corner::TopRight, 100, 4).unwrap()
    };
    // Grey that moves a little.
    let source = "-f lavfi -i color=gray:s=1080x1920:r=24:d=3,geq=lum='120+mod(N,8)':cb=128:cr=128";
    let input = bench.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"), "in.mp4");
    let branding = brand(Some(LabelLanguage::Ko)).lay_out(bench.folder.path()).await.unwrap();
    let result = bench.encode(&input, EncodePlan { branding, ..plan(P1080, 24, 3) }).await.unwrap();
    for rendition in &result.renditions {
        // In thousandths of the width and of the height.
        let at = |x: u32, y: u32| {
            let (x, y) = (rendition.width * x / 1000, rendition.height * y / 1000);
            bench.colour(&rendition.path, "1.5", &format!("6:6:{x}:{y}"))
        };
        let [red, green, _] = at(900, 40);
        assert!(red > 200 && green < 60, "the logo is top right: {:?}", at(900, 40));
        assert!(at(46, 965)[0] < 90, "the label is bottom left: {:?}", at(46, 965));
        for (x, y) in [(40, 40), (900, 963), (500, 500)] {
            let [red, green, blue] = at(x, y);
            assert!(red.abs_diff(green) < 12 && green.abs_diff(blue) < 12 && red > 100, "{x} {y}: {:?}", at(x, y));
        }
    }
}

#[tokio::test]
async fn without_a_sandbox_the_result_is_the_same() {
    let mut bench = Bench::new().await;
    let input = bench.clip("320x568", "24", "3", "");
    let inside = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    let bytes = std::fs::read(&inside.renditions[0].path).unwrap();
    bench.tools = bench.tools.clone().without_sandbox();
    let outside = bench.encode(&input, plan(P720, 24, 3)).await.unwrap();
    assert_eq!(std::fs::read(&outside.renditions[0].path).unwrap(), bytes);
}
