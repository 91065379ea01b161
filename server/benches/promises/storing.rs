//! Large files through the object store: memory stays flat both ways.

use std::{net::SocketAddr, path::Path, time::Instant};

use domain::VideoId;
use secrecy::SecretString;
use storage::{Key, Settings, Store, embedded::Endpoint};
use uuid::Uuid;

use super::{
    memory::{peak_mib, reset_peak},
    table::Table,
};

const FILE_BYTES: u64 = 1 << 30;
const GROWTH_MIB: f64 = 128.0;

/// Stores a file of 1 GiB and fetches it again; the embedded store runs in this process, so its memory counts as well.
pub async fn measure(folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let folder = folder.join("storing");
    std::fs::create_dir(&folder)?;
    let secret = SecretString::from("a secret of this run");
    let objects = folder.join("objects");
    std::fs::create_dir(&objects)?;
    let endpoint = Endpoint::start(&objects, SocketAddr::from(([127, 0, 0, 1], 0)), "bench", &secret).await?;
    let settings = Settings {
        endpoint: Some(endpoint.url()),
        region: "auto".into(),
        bucket: "bench".into(),
        access_key_id: "bench".into(),
        secret_access_key: secret,
        path_style: true,
    };
    let store = Store::connect(settings).await?;
    store.ensure_bucket().await?;
    let (from, to) = (folder.join("from.bin"), folder.join("to.bin"));
    std::fs::File::create(&from)?.set_len(FILE_BYTES)?;
    let key = Key::original(VideoId::from_uuid(Uuid::now_v7()));
    reset_peak(std::process::id())?;
    let before = peak_mib(std::process::id())?;
    let begun = Instant::now();
    store.put_file(&key, &from, "video/mp4").await?;
    let put = begun.elapsed();
    store.get_to_file(&key, &to, FILE_BYTES).await?;
    let growth = (peak_mib(std::process::id())? - before).max(0.0);
    anyhow::ensure!(std::fs::metadata(&to)?.len() == FILE_BYTES, "what came back is not what was stored");
    table.promise("1 GiB to the object store and back: growth of memory", growth, GROWTH_MIB, "MiB");
    table.detail("to the store", put.as_secs_f64(), "s");
    table.detail("and back", (begun.elapsed() - put).as_secs_f64(), "s");
    endpoint.stop().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
