//! Making renditions: what it takes beside one bare command that does the same, and beside a command for each file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::Context as _;
use domain::{ClipSeconds, FramesPerSecond, Resolution};
use media::{ClipInfo, EncodePlan, Extras, ShorterClip, Tools};
use tokio_util::sync::CancellationToken;

use super::{
    figures::median,
    processes::{busy_seconds, peak_of},
    table::Table,
};

const OF_BARE: f64 = 1.10;
const OF_SEPARATE: f64 = 0.5;
const FFMPEG_MIB: f64 = 1024.0;
/// Measured rounds. The three of a round run one after the other and are held against each other: processors that others
/// use as well are fast in one minute and slow in the next.
const ROUNDS: usize = 5;
/// As the product encodes.
const H264: &str = "-c:v libx264 -preset medium -crf 24 -profile:v high -threads 2 -force_key_frames expr:gte(t,n_forced*2) \
     -sc_threshold 0 -pix_fmt yuv420p -an";

/// What a run took.
struct Took {
    wall: f64,
    cpu: f64,
}

/// What three ways to the same files took, and looking at the clip before.
struct Round {
    probing: Took,
    ours: Took,
    bare: Took,
    separate: Took,
}

/// Measures all renditions (720p, 1080p, HLS of both, posters) of a clip of 4 s in 1080p.
pub async fn measure(folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let folder = folder.join("encode");
    fs::create_dir(&folder)?;
    let clip = folder.join("clip.mp4");
    // Something that moves and is not easy: what a video model gives has texture.
    ffmpeg(
        &folder,
        &format!(
            "-f lavfi -i mandelbrot=s=1080x1920:r=24:start_scale=0.6:end_scale=0.2:end_pts=96 -t 4 -c:v libx264 -preset veryfast \
             -crf 16 -pix_fmt yuv420p {}",
            clip.display()
        ),
    )?;
    let tools = Tools::find().await?;
    // As the product has it: a clip is looked at once, when it is stored. What that takes is told beside the promise.
    let info = media::probe(&tools, &clip).await?;
    let make = async |out: PathBuf| encode(&tools, &clip, &info, &out).await;
    // Not timed: looking at every process takes time as well.
    let (warm_up, peak) = peak_of("ffmpeg", make(folder.join("warm-up"))).await?;
    warm_up?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for number in 0..ROUNDS {
        println!("encode {} of {ROUNDS}", number + 1);
        rounds.push(Round {
            probing: timed(async { Ok(media::probe(&tools, &clip).await.map(drop)?) }).await?,
            ours: timed(make(folder.join(format!("ours{number}")))).await?,
            bare: timed(async { ffmpeg(&made(&folder, "bare", number)?, &bare_command(&clip)) }).await?,
            separate: timed(async { separate_commands(&clip, &made(&folder, "separate", number)?) }).await?,
        });
    }
    let mut promise = |what: &str, budget: f64, figure: fn(&Round) -> f64| {
        table.promise(what, median(&mut rounds.iter().map(figure).collect::<Vec<_>>()), budget, "x");
    };
    promise(
        &format!("all renditions of a 4 s 1080p clip: processor time of a bare command's, median of {ROUNDS} rounds"),
        OF_BARE,
        |round| round.ours.cpu / round.bare.cpu,
    );
    promise("  the same, time on the clock", OF_BARE, |round| round.ours.wall / round.bare.wall);
    promise("  processor time of a command for each file", OF_SEPARATE, |round| round.ours.cpu / round.separate.cpu);
    promise("  the same, time on the clock", OF_SEPARATE, |round| round.ours.wall / round.separate.wall);
    let mut detail = |what: &str, unit: &str, figure: fn(&Round) -> f64| {
        table.detail(what, median(&mut rounds.iter().map(figure).collect::<Vec<_>>()), unit)
    };
    detail("with looking at the clip, which is done when it is stored: processor", "x", |round| {
        (round.probing.cpu + round.ours.cpu) / round.bare.cpu
    });
    detail("with looking at the clip: clock", "x", |round| (round.probing.wall + round.ours.wall) / round.bare.wall);
    detail("Lookreel, everything made is checked: processor", "s", |round| round.ours.cpu);
    detail("Lookreel: clock", "s", |round| round.ours.wall);
    detail("bare command, nothing checked: processor", "s", |round| round.bare.cpu);
    detail("bare command, nothing checked: clock", "s", |round| round.bare.wall);
    detail("a command for each file: clock", "s", |round| round.separate.wall);
    table.promise("peak memory of the largest ffmpeg", peak, FFMPEG_MIB, "MiB");
    Ok(())
}

fn made(folder: &Path, name: &str, run: usize) -> anyhow::Result<PathBuf> {
    let folder = folder.join(format!("{name}{run}"));
    fs::create_dir(&folder)?;
    Ok(folder)
}

async fn encode(tools: &Tools, clip: &Path, info: &ClipInfo, out: &Path) -> anyhow::Result<()> {
    fs::create_dir(out)?;
    let plan = EncodePlan {
        resolution: Resolution::P1080,
        fps: FramesPerSecond::parse(24)?,
        duration: ClipSeconds::parse(4)?,
        shorter: ShorterClip::Stays,
        extras: Extras { av1: false, webm: false, hls: true },
        branding: None,
        signer: None,
    };
    media::encode(tools, clip, info, &plan, out, &CancellationToken::new(), |_| {}).await?;
    Ok(())
}

/// The same outputs by one command, as somebody would write it who checks nothing.
fn bare_command(clip: &Path) -> String {
    let hls = |name: &str| {
        format!(
            "[f=mp4:movflags=+faststart]{name}.mp4|[f=hls:hls_time=2:hls_segment_type=fmp4:hls_playlist_type=vod:\
             hls_fmp4_init_filename={name}-init.mp4:hls_segment_filename={name}-%d.m4s]{name}.m3u8"
        )
    };
    format!(
        "-i {} -filter_complex [0:v]fps=24,split=4[a][b][c][d];[a]scale=720:1280[small];[b]null[large];\
         [c]trim=end=1,framestep=2,thumbnail=n=12,scale=720:1280,split[poster][posterw];[d]select=not(mod(n\\,12)),scale=180:320,tile=8x1[strip] \
         -map [small] {H264} -maxrate 3000k -bufsize 3000k -flags +cgop+global_header -f tee {} \
         -map [large] {H264} -maxrate 6000k -bufsize 6000k -flags +cgop+global_header -f tee {} \
         -map [poster] -frames:v 1 -update 1 poster.jpg -map [posterw] -c:v libwebp -frames:v 1 -update 1 poster.webp \
         -map [strip] -frames:v 1 -update 1 strip.jpg",
        clip.display(),
        hls("720p"),
        hls("1080p")
    )
}

/// A command for each file: both renditions, HLS of both encoded again, the posters.
fn separate_commands(clip: &Path, out: &Path) -> anyhow::Result<()> {
    let clip = clip.display();
    for (name, scale, rate) in [("720p", "720:1280", "3000k"), ("1080p", "1080:1920", "6000k")] {
        let coded = format!("-i {clip} -vf fps=24,scale={scale} {H264} -maxrate {rate} -bufsize {rate}");
        ffmpeg(out, &format!("{coded} -movflags +faststart {name}.mp4"))?;
        ffmpeg(
            out,
            &format!(
                "{coded} -f hls -hls_time 2 -hls_segment_type fmp4 -hls_playlist_type vod \
             -hls_fmp4_init_filename {name}-init.mp4 -hls_segment_filename {name}-%d.m4s {name}.m3u8"
            ),
        )?;
    }
    for poster in ["poster.jpg", "-c:v libwebp poster.webp"] {
        ffmpeg(out, &format!("-ss 1 -i {clip} -vf scale=720:1280 -frames:v 1 -update 1 {poster}"))?;
    }
    Ok(())
}

fn ffmpeg(folder: &Path, words: &str) -> anyhow::Result<()> {
    let words = words.split_whitespace();
    let done = Command::new("ffmpeg").current_dir(folder).args(["-v", "error", "-nostdin", "-y"]).args(words).output();
    let done = done.context("ffmpeg is not installed")?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// Clock and processor of whatever the machine does meanwhile.
async fn timed(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Took> {
    let (begun, before) = (Instant::now(), busy_seconds()?);
    work.await?;
    Ok(Took { wall: begun.elapsed().as_secs_f64(), cpu: busy_seconds()? - before })
}
