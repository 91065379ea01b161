//! Serving clips: a hot one beside nginx, a cold one to many at once, and what a shopper's browser makes of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde::Deserialize;
use url::Url;

use super::{
    figures::median,
    load,
    lookreel::Lookreel,
    memory::{peak_mib, reset_peak},
    table::Table,
};

/// Of nginx's requests a second.
const SHARE_OF_NGINX: f64 = 0.7;
/// The clip that is compared has about so many bytes; a longer one is cut.
const CLIP_BYTES: usize = 400_000;
const CONNECTIONS: usize = 32;
/// How long each asks, and how often in turns, after one that warms up: one turn alone says little where many threads share
/// few processors, and memory that others use as well is fast in one second and slow in the next.
const LASTING: Duration = Duration::from_secs(1);
const TURNS: usize = 15;
const TURNS_AFTER_BROWSER: usize = 5;
/// How much memory may grow while so many load one clip that nothing keeps.
const COLD_CLIENTS: usize = 500;
const COLD_GROWTH_MIB: f64 = 128.0;
const FIRST_FRAME_MS: f64 = 150.0;

/// A hot clip, whole and in parts, beside nginx on the same machine with the same bytes and the same clients.
pub async fn measure_hot(page: &Url, folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let Some(HotClip { clip, nginx, length, bytes }) = HotClip::serve(page, &folder.join("nginx")).await? else {
        table.note("nginx is not installed, so serving is not compared with it");
        return Ok(());
    };
    let part = format!("Range: bytes={}-{}\r\n", length / 4, length / 2);
    for (what, headers) in [("", bytes), (", ranges of a quarter", part)] {
        let mut turns = Turns::take(&clip, &nginx.address, &headers, TURNS)?;
        table.at_least(
            &format!("hot clip of {} kB{what}: requests/s of nginx's, median of {TURNS} turns", length / 1000),
            median(&mut turns.shares),
            SHARE_OF_NGINX,
            "x",
        );
        table.detail("smallest share", turns.shares.first().copied().unwrap_or_default(), "x");
        table.detail(&format!("Lookreel, {CONNECTIONS} connections"), median(&mut turns.ours), "/s");
        table.detail("nginx", median(&mut turns.theirs), "/s");
    }
    Ok(())
}

/// The same while memory is slow to be had, as it is on some machines for a while after a browser has given much of it back:
/// nginx needs none for what it sends.
pub async fn measure_hot_after_browser(page: &Url, folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    if let Some(HotClip { clip, nginx, bytes, .. }) = HotClip::serve(page, &folder.join("nginx-after")).await? {
        let mut turns = Turns::take(&clip, &nginx.address, &bytes, TURNS_AFTER_BROWSER)?;
        table.detail("hot clip right after the browser: requests/s of nginx's", median(&mut turns.shares), "x");
    }
    Ok(())
}

/// The clip of a page, where Lookreel and where nginx serves it.
struct HotClip {
    clip: Url,
    nginx: Nginx,
    /// How many bytes of it are compared.
    length: usize,
    /// The header that asks for no more of them; empty where it is all of them.
    bytes: String,
}

impl HotClip {
    /// Loads it once, which makes it hot, and gives it to nginx; none where that is not installed.
    async fn serve(page: &Url, folder: &Path) -> anyhow::Result<Option<Self>> {
        let clip = clip_of(page).await?;
        let all = reqwest::get(clip.clone()).await?.error_for_status()?.bytes().await?;
        let Some(nginx) = Nginx::start(folder, &all)? else { return Ok(None) };
        let length = all.len().min(CLIP_BYTES);
        let bytes = if all.len() > length { format!("Range: bytes=0-{}\r\n", length - 1) } else { String::new() };
        Ok(Some(Self { clip, nginx, length, bytes }))
    }
}

/// Requests a second of both in each turn, and the share that is.
struct Turns {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    shares: Vec<f64>,
}

impl Turns {
    /// One after the other, the other way round in every second turn; a first turn that is not counted warms both up.
    fn take(clip: &Url, nginx: &Url, headers: &str, turns: usize) -> anyhow::Result<Self> {
        let measure = |address: &Url| load::requests_per_second(address, headers, CONNECTIONS, LASTING);
        let mut taken = Self { ours: Vec::new(), theirs: Vec::new(), shares: Vec::new() };
        for number in 0..=turns {
            let (ours, theirs) = if number.is_multiple_of(2) {
                let ours = measure(clip)?;
                (ours, measure(nginx)?)
            } else {
                let theirs = measure(nginx)?;
                (measure(clip)?, theirs)
            };
            if number > 0 {
                taken.ours.push(ours);
                taken.theirs.push(theirs);
                taken.shares.push(ours / theirs);
            }
        }
        Ok(taken)
    }
}

/// A clip nothing keeps, straight from the object store to many clients at once.
pub async fn measure_cold(lookreel: &Lookreel, page: &Url, table: &mut Table) -> anyhow::Result<()> {
    let mut address = lookreel.ready.url.clone();
    address.set_path(page.path());
    let clip = clip_of(&address).await?;
    let process = lookreel.pid().context("it has ended")?;
    load::load_at_once(&clip, 1)?;
    reset_peak(process)?;
    let before = peak_mib(process)?;
    let (took, bytes) = load::load_at_once(&clip, COLD_CLIENTS)?;
    let growth = (peak_mib(process)? - before).max(0.0);
    table.promise(
        &format!("cold clip to {COLD_CLIENTS} clients at once: growth of memory"),
        growth,
        COLD_GROWTH_MIB,
        "MiB",
    );
    table.detail("what they loaded", bytes as f64 / 1e6, "MB");
    table.detail("in", took.as_secs_f64() * 1000.0, "ms");
    Ok(())
}

/// What Chromium says of the product page.
#[derive(Deserialize)]
struct Seen {
    first_frame_ms: Vec<f64>,
    lcp_ms: Vec<f64>,
    lcp_element: String,
    cls: f64,
}

/// The first frame after navigation, the largest paint and what moves, in Chromium; beside a page of the clip alone.
pub async fn measure_browser(page: &Url, folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/first-frame.mjs");
    if !script.with_file_name("node_modules").is_dir() {
        table.note("end2end/node_modules is not there (`make setup`), so no browser was asked");
        return Ok(());
    }
    let Seen { mut first_frame_ms, mut lcp_ms, lcp_element, cls } = look(&script, page).await?;
    let runs = first_frame_ms.len();
    table.promise(
        &format!("first frame after navigation in Chromium, median of {runs}"),
        median(&mut first_frame_ms),
        FIRST_FRAME_MS,
        "ms",
    );
    table.detail("slowest", first_frame_ms.last().copied().unwrap_or_default(), "ms");
    table.detail(&format!("largest paint ({lcp_element}), median"), median(&mut lcp_ms), "ms");
    let clip = reqwest::get(clip_of(page).await?).await?.error_for_status()?.bytes().await?;
    if let Some(nginx) = Nginx::start(&folder.join("nginx-bare"), &clip)? {
        let mut bare = look(&script, &nginx.address.join("bare.html")?).await?;
        table.detail("a page of the clip alone, from nginx: first frame", median(&mut bare.first_frame_ms), "ms");
    }
    table.promise("what moves while it loads (CLS)", cls, 0.001, "");
    Ok(())
}

async fn look(script: &Path, page: &Url) -> anyhow::Result<Seen> {
    let run = tokio::process::Command::new("node").arg(script).arg(page.as_str()).kill_on_drop(true).output();
    let done = tokio::time::timeout(Duration::from_secs(180), run).await.context("the browser took too long")??;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// The largest MP4 without AV1 on a product page.
async fn clip_of(page: &Url) -> anyhow::Result<Url> {
    let html = reqwest::get(page.clone()).await?.error_for_status()?.text().await?;
    let path = html.split('"').rfind(|part| part.starts_with("/media/") && part.ends_with("p.mp4"));
    Ok(page.join(path.context("the page has no clip")?)?)
}

/// A clip and nothing else, which begins by itself.
const BARE_PAGE: &str = "<!doctype html><meta name=viewport content='width=device-width'><link rel=icon href='data:,'>\
     <video autoplay muted playsinline loop width=390 src=clip.mp4></video>";

/// nginx as people install it, with one clip.
struct Nginx {
    process: Child,
    address: Url,
}

impl Nginx {
    fn start(folder: &Path, clip: &[u8]) -> anyhow::Result<Option<Self>> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/opt/homebrew/bin/nginx"].map(PathBuf::from);
        let Some(program) = program.into_iter().find(|program| program.is_file()) else { return Ok(None) };
        fs::create_dir(folder)?;
        fs::write(folder.join("clip.mp4"), clip)?;
        fs::write(folder.join("bare.html"), BARE_PAGE)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let place = folder.display();
        // Its own defaults, with what everybody switches on for files.
        let config = format!(
            "daemon off; worker_processes auto; pid {place}/nginx.pid; error_log {place}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; open_file_cache max=100; keepalive_requests 1000000;\n\
             types {{ video/mp4 mp4; text/html html; }} client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;\n\
             uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             server {{ listen 127.0.0.1:{port}; root {place}; }} }}\n"
        );
        fs::write(folder.join("nginx.conf"), config)?;
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
        // Started by root it would serve as somebody else, who may not look into the folder.
        command.args(["-g", "user root;"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let nginx = Self { process: command.spawn()?, address: format!("http://127.0.0.1:{port}/clip.mp4").parse()? };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            anyhow::ensure!(begun.elapsed() < Duration::from_secs(10), "nginx does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(nginx))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it when it is asked, not when it is killed.
        if let Ok(pid) = i32::try_from(self.process.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.process.wait();
    }
}
