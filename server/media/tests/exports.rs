//! What is made of a video later: other shapes, and posters from a chosen moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use std::path::Path;

use bench::Bench;
use domain::{
    ClipSeconds, FramesPerSecond,
    export::{ExportOptions, Fit, Focus, Shape},
};
use media::{Brand, Corner, Error, ExportPlan, LabelLanguage, PosterPlan, Rendition, ShorterClip, export, poster};
use tokio_util::sync::CancellationToken;

fn plan(shape: Shape, fit: Fit, focus: (i64, i64)) -> ExportPlan {
    ExportPlan {
        options: ExportOptions { shape, fit, focus: Focus::new(focus.0, focus.1).unwrap() },
        fps: FramesPerSecond::parse(24).unwrap(),
        duration: ClipSeconds::parse(3).unwrap(),
        shorter: ShorterClip::Stays,
        branding: None,
        signer: None,
    }
}

async fn make(bench: &Bench, input: &Path, plan: &ExportPlan) -> Result<Rendition, Error> {
    let info = bench.probe(input).await?;
    let token = CancellationToken::new();
    export(&bench.tools, input, &info, plan, &bench.out(), &token, |percent| bench.told.lock().unwrap().push(percent))
        .await
}

/// Red above, green in the middle, blue below; a little movement, so that nothing stands still.
fn flag(bench: &Bench, size: &str) -> std::path::PathBuf {
    let (width, height) = size.split_once('x').unwrap();
    let third = height.parse::<u32>().unwrap() / 3;
    let boxes = format!(
        "drawbox=c=red:t=fill:h={third},drawbox=c=lime:t=fill:y={third}:h={third},drawbox=c=blue:t=fill:y={}:h={third}",
        2 * third
    );
    let moving = format!("drawbox=c=white:t=fill:w=16:h=16:x='mod(t*96,{width})':y=0");
    let source = format!("-f lavfi -i color=gray:s={size}:r=24:d=3,{boxes},{moving}");
    bench.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"), "in.mp4")
}

fn is_red([red, green, blue]: [u8; 3]) -> bool {
    red > 180 && green < 80 && blue < 80
}

fn is_blue([red, green, blue]: [u8; 3]) -> bool {
    blue > 180 && red < 80 && green < 80
}

#[tokio::test]
async fn every_shape_is_made_of_both_orientations() {
    let bench = Bench::new().await;
    for (size, shapes) in [
        ("540x960", [("1:1", 540, 540), ("4:5", 540, 674), ("9:16", 540, 960), ("16:9", 540, 302)]),
        ("960x540", [("1:1", 540, 540), ("4:5", 432, 540), ("9:16", 302, 540), ("16:9", 960, 540)]),
    ] {
        let input = flag(&bench, size);
        for (shape, width, height) in shapes {
            let shape = Shape::parse(shape).unwrap();
            let made = make(&bench, &input, &plan(shape, Fit::Crop, (50, 50))).await.unwrap();
            assert_eq!((made.width, made.height, made.frames), (width, height, 72), "{size} {shape:?}");
            let told = bench.look(&made.path);
            assert_eq!(
                (&told["streams"][0]["codec_name"], told["streams"].as_array().unwrap().len()),
                (&"h264".into(), 1)
            );
            let whole = make(&bench, &input, &plan(shape, Fit::Blur, (50, 50))).await.unwrap();
            assert!(whole.width >= made.width && whole.height >= made.height, "{size} {shape:?}: {whole:?}");
            // All of it is there: red above, blue below.
            let (x, tall) = (whole.width / 2 - 8, whole.height);
            let shown = if size == "540x960" { tall } else { (whole.width * 540 / 960).min(tall) };
            let top = (tall - shown) / 2;
            let at = |y: u32| bench.colour(&whole.path, "1.5", &format!("16:16:{x}:{y}"));
            assert!(is_red(at(top + 40)) && is_blue(at(top + shown - 40)), "{size} {shape:?} {:?}", at(top + 40));
        }
    }
    assert_eq!(bench.told.lock().unwrap().last(), Some(&100));
}

#[tokio::test]
async fn what_is_cut_keeps_the_focus() {
    let bench = Bench::new().await;
    let input = flag(&bench, "540x960");
    for (focus, is_kept) in [(0, is_red as fn([u8; 3]) -> bool), (100, is_blue)] {
        let made = make(&bench, &input, &plan(Shape::Wide, Fit::Crop, (50, focus))).await.unwrap();
        let middle = bench.colour(&made.path, "1.5", &format!("16:16:260:{}", made.height / 2));
        assert!(is_kept(middle), "{focus}: {middle:?}");
    }
}

#[tokio::test]
async fn brand_and_mark_are_in_an_export_as_well() {
    let bench = Bench::new().await;
    let input = flag(&bench, "540x960");
    let logo = bench.make("-f lavfi -i color=white:s=100x100:d=1 -frames:v 1", "logo.png");
    let logo = std::fs::read(logo).unwrap();
    let brand = Brand::new(Some(&logo), Some(LabelLanguage::En), Corner::TopRight, 100, 4).unwrap();
    let branding = brand.lay_out(bench.folder.path()).await.unwrap();
    let plan = ExportPlan { branding, ..plan(Shape::Square, Fit::Crop, (50, 50)) };
    let made = make(&bench, &input, &plan).await.unwrap();
    let [red, green, blue] = bench.colour(&made.path, "1.5", "6:6:490:30");
    assert!(red > 200 && green > 200 && blue > 200, "the logo is in the corner of the new shape");
    let bytes = std::fs::read(&made.path).unwrap();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    assert!(has(b"trainedAlgorithmicMedia") && !has(b"x264") && !has(b"Lavf"));
}

#[tokio::test]
async fn a_damaged_clip_gives_no_export_and_leaves_nothing() {
    let bench = Bench::new().await;
    let input = flag(&bench, "540x960");
    let bytes = std::fs::read(&input).unwrap();
    let damaged = bench.make(&format!("-i {} -c copy -movflags +faststart", input.display()), "fast.mp4");
    let mut whole = std::fs::read(&damaged).unwrap();
    whole.truncate(bytes.len() * 6 / 10);
    std::fs::write(&damaged, whole).unwrap();
    let error = make(&bench, &damaged, &plan(Shape::Square, Fit::Crop, (50, 50))).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn a_poster_is_the_frame_of_its_moment() {
    let bench = Bench::new().await;
    // Brighter with every frame.
    let source = "-f lavfi -i color=black:s=320x568:r=24:d=3,geq=lum='40+2*N':cb=128:cr=128";
    let input = bench.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"), "in.mp4");
    let info = bench.probe(&input).await.unwrap();
    let token = CancellationToken::new();
    let mut lights = Vec::new();
    for at_ms in [0, 1_000, 2_950] {
        let name = format!("thumb-{at_ms}");
        let plan = PosterPlan { at_ms, name: &name, signer: None };
        let [jpeg, webp] = poster(&bench.tools, &input, &info, &plan, &bench.out(), &token).await.unwrap();
        assert_eq!((jpeg.width, jpeg.height, webp.width, webp.height), (320, 568, 320, 568));
        assert!(
            jpeg.path.ends_with(format!("thumb-{at_ms}.jpg")) && webp.path.ends_with(format!("thumb-{at_ms}.webp"))
        );
        let light = |path: &Path| bench.colour(path, "", "100:100:40:100")[0];
        assert!(light(&jpeg.path).abs_diff(light(&webp.path)) < 8);
        lights.push(light(&jpeg.path));
        for picture in [&jpeg, &webp] {
            let bytes = std::fs::read(&picture.path).unwrap();
            assert!(bytes.windows(23).any(|window| window == b"trainedAlgorithmicMedia"));
        }
    }
    assert!(lights[0] + 30 < lights[1] && lights[1] + 60 < lights[2], "{lights:?}");
    std::fs::remove_dir_all(bench.out()).unwrap();
    let late = PosterPlan { at_ms: 3_500, name: "late", signer: None };
    let error = poster(&bench.tools, &input, &info, &late, &bench.out(), &token).await.unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error:?}");
    assert_eq!(bench.left(), [""; 0]);
}
