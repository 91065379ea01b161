//! The product page as shoppers get it: how long the server takes, and how much a browser that has nothing loads.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, header};
use url::Url;

use super::{figures::Figures, lookreel::Lookreel, table::Table};

const TIME_BUDGET_MS: f64 = 3.0;
const BYTES_BUDGET_KB: f64 = 40.0;
const WARM_UP: usize = 50;

/// Measures the page at `address`.
pub async fn measure(lookreel: &Lookreel, address: &Url, requests: usize, table: &mut Table) -> anyhow::Result<()> {
    // One connection, kept; one request at a time.
    let client = Client::builder().pool_max_idle_per_host(1).build()?;
    let page = time(&client, address, requests).await?;
    let floor = time(&client, &lookreel.ready.url.join("health/live")?, requests).await?;
    table.promise(&format!("shopper's product page, p50 of {requests}"), page.percentile_ms(50), TIME_BUDGET_MS, "ms");
    table.detail("p99", page.percentile_ms(99), "ms");
    table.detail("baseline: a request that does nothing, p50", floor.percentile_ms(50), "ms");

    // With the typeface, which the first page comes without.
    let html = client.get(address.clone()).header(header::COOKIE, "typeface=here").send().await?;
    let html = html.error_for_status()?.text().await?;
    let html_bytes = load(&client, address).await?;
    let (mut style_bytes, mut script_bytes) = (0, 0);
    for path in linked_styles(&html) {
        style_bytes += load(&client, &address.join(path)?).await?;
    }
    // Some are linked, some are loaded by the script that begins the clip.
    for path in html.split('"').filter(|part| part.starts_with('/') && part.ends_with(".js")) {
        script_bytes += load(&client, &address.join(path)?).await?;
    }
    let kilobytes = |bytes: usize| bytes as f64 / 1_000.0;
    let total = kilobytes(html_bytes + style_bytes + script_bytes);
    table.promise("shopper's product page, HTML + CSS + JS, brotli", total, BYTES_BUDGET_KB, "kB");
    table.detail("HTML", kilobytes(html_bytes), "kB");
    table.detail("CSS", kilobytes(style_bytes), "kB");
    table.detail("JS", kilobytes(script_bytes), "kB");
    Ok(())
}

async fn time(client: &Client, address: &Url, requests: usize) -> anyhow::Result<Figures> {
    let mut times = Vec::with_capacity(requests);
    for number in 0..WARM_UP + requests {
        let begun = Instant::now();
        load(client, address).await?;
        if number >= WARM_UP {
            times.push(begun.elapsed());
        }
    }
    Ok(Figures::from(times))
}

/// Loads a file as browsers do and answers the bytes of its body on the wire.
async fn load(client: &Client, address: &Url) -> anyhow::Result<usize> {
    let request = client.get(address.clone()).header(header::ACCEPT_ENCODING, "br").timeout(Duration::from_secs(10));
    let response = request.send().await.with_context(|| address.to_string())?.error_for_status()?;
    Ok(response.bytes().await?.len())
}

/// The addresses of style sheets.
fn linked_styles(html: &str) -> impl Iterator<Item = &str> {
    html.split("<link").skip(1).filter_map(|rest| {
        let (inside, _) = rest.split_once('>')?;
        let (_, value) = inside.split_once("href=\"")?;
        let address = value.split('"').next()?;
        address.split('?').next()?.ends_with(".css").then_some(address)
    })
}
