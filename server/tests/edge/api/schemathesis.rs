//! The API held against its own description by a tool that knows nothing of us.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::process::Command;

use super::Code;
use crate::house::House;

const PATIENCE: Duration = Duration::from_secs(420);

/// No fault, no status that is not described, no answer of another shape, nothing accepted that should not be.
#[tokio::test]
async fn nothing_is_answered_that_is_not_described() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let installed = Command::new("bash").arg(scripts.join("install")).output().await.unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let folder = String::from_utf8(installed.stdout).unwrap();
    let house = House::build(&[
        ("API_REQUESTS_PER_MINUTE", "10000000"),
        ("DAILY_GENERATIONS", "1000000"),
        ("DAILY_SPEND_USD", "1000000"),
    ])
    .await;
    let product = house.ground.add_product("fuzzed").await;
    let code = Code::of(&house).await;
    let image = code.upload(product.id).await;
    let job = code.generate(&image, json!({"duration": 3})).await;
    let video = code.ended(&job).await["result"]["videoId"].as_str().unwrap().to_owned();
    // From here on: what is asked for waits, and costs no time of the machine.
    let admin = house.admin().await;
    let fields = [("scope", "everything"), ("reason", "fuzzing")];
    let paused = admin.post("/api/admin/queue/pause", "application/json", &fields).send().await.unwrap();
    assert!(paused.status().is_success(), "{}", paused.status());
    let mut run = Command::new(Path::new(folder.trim()).join("venv/bin/python"));
    run.args(["-m", "schemathesis.cli", "--config-file"]).arg(scripts.join("schemathesis.toml"));
    run.arg("run").arg(format!("{}/api/openapi.json", house.url)).args(["--url", &house.url]);
    run.current_dir(&house.ground.dir).kill_on_drop(true);
    run.env("LOOKREEL_TOKEN", &code.token).env("PRODUCT_ID", product.id.to_string()).env("JOB_ID", &job);
    run.env("TRYON_IMAGE_ID", &image).env("VIDEO_ID", &video).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = tokio::time::timeout(PATIENCE, run.output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&done.stderr), house.program.log());
    let half =
        "select count(*) from generations g where not exists (select 1 from calls c where c.generation_id = g.id)";
    assert_eq!(house.ground.database.number(half).await, 0, "none is half made");
}
