//! The examples of `docs/api.md`, run as they stand there.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use super::Code;
use crate::house::{House, photo};

const PATIENCE: Duration = Duration::from_secs(120);

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

async fn runs(program: &str, file: &str) {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("example").await;
    let picture = house.ground.dir.join("worn.png");
    std::fs::write(&picture, photo()).unwrap();
    let text = std::fs::read_to_string(docs().join("examples").join(file)).unwrap();
    let page = std::fs::read_to_string(docs().join("api.md")).unwrap();
    assert!(page.contains(text.trim()), "docs/api.md shows another {file}");
    let mut run = Command::new(program);
    run.arg(docs().join("examples").join(file)).current_dir(&house.ground.dir).kill_on_drop(true);
    run.env("LOOKREEL_URL", &house.url).env("LOOKREEL_TOKEN", Code::of(&house).await.token);
    run.env("PRODUCT_ID", product.id.to_string()).env("PICTURE", &picture).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = tokio::time::timeout(PATIENCE, run.output()).await.expect("it ends").unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{file}: {said}\n{wrong}");
    let url = said.lines().rev().find(|line| line.starts_with("http")).expect("the address of the video").trim();
    assert!(url.ends_with("720p.mp4"), "{file}: {said}");
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200, "{file}: {said}");
}

#[tokio::test]
async fn the_example_for_curl_makes_a_video() {
    runs("bash", "curl.sh").await;
}

#[tokio::test]
async fn the_example_in_javascript_makes_a_video() {
    runs("node", "generate.mjs").await;
}

#[tokio::test]
async fn the_example_in_python_makes_a_video() {
    runs("python3", "generate.py").await;
}

#[tokio::test]
async fn the_example_that_checks_a_webhook_believes_ours_and_nothing_else() {
    let script = docs().join("examples/webhook.mjs");
    let page = std::fs::read_to_string(docs().join("api.md")).unwrap();
    assert!(page.contains(std::fs::read_to_string(&script).unwrap().trim()), "docs/api.md shows another webhook.mjs");
    // The vector of the Standard Webhooks specification.
    let code = format!(
        "const {{ verify }} = await import({:?});
         const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
         const headers = {{ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330',
             'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }};
         const body = '{{\"test\": 2432232314}}';
         const at = 1614265330;
         if (!verify(secret, headers, body, at)) throw new Error('not believed');
         if (verify(secret, headers, body + ' ', at)) throw new Error('a changed body is believed');
         if (verify(secret, headers, body, at + 3600)) throw new Error('an old message is believed');",
        script.display().to_string()
    );
    let done = Command::new("node").args(["--input-type=module", "--eval", &code]).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
