//! Redis as a cluster, behind Sentinel, and full: real servers of the test's own.

use std::process::{Child, Command, Stdio};

use jobs::{NewJob, Queue, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use tempfile::TempDir;

use crate::stage::{Stage, ask, job, quick, until, willing};
use crate::store;

/// redis-servers in a folder of their own, gone with the test.
struct Servers {
    folder: TempDir,
    children: Vec<Child>,
}

impl Servers {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), children: Vec::new() }
    }

    /// Starts a server and answers its port.
    async fn start(&mut self, more: &[&str]) -> u16 {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port_word, folder) = (port.to_string(), self.folder.path().display().to_string());
        let config = format!("{port}.conf");
        let nodes = format!("{port}.nodes");
        std::fs::write(self.folder.path().join(&config), "").unwrap();
        let mut command = Command::new("redis-server");
        command.arg(self.folder.path().join(&config)).args(["--port", &port_word, "--dir", &folder]);
        command.args(["--bind", "127.0.0.1", "--save", ""]).args(more);
        if more.contains(&"--cluster-enabled") {
            command.args(["--cluster-config-file", &nodes]);
        }
        self.children.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until("redis-server to listen", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok())
            .await;
        port
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Runs `count` jobs and whatever waited before them, whichever of them is given out first.
async fn run_a_few(stage: &Stage, count: i64) {
    let unfinished = async || store::count(&stage.pg, "queued").await + store::count(&stage.pg, "running").await;
    let before = store::count(&stage.pg, "succeeded").await + unfinished().await;
    let running = stage.start(&willing(), quick());
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    for n in 0..count {
        stage.enqueue(&NewJob::new("act", format!("family-{}/member", n % 3), json!({}))).await;
    }
    until("all to end", async || store::count(&stage.pg, "succeeded").await == before + count).await;
    running.end().await;
}

#[sqlx::test]
async fn a_cluster_of_three_dispatches(pg: PgPool) {
    let mut servers = Servers::new();
    let mut ports = Vec::new();
    for _ in 0..3 {
        ports.push(servers.start(&["--cluster-enabled", "yes"]).await);
    }
    for (port, (first, last)) in ports.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]) {
        assert_eq!(ask(*port, &["cluster", "addslotsrange", first, last]), "OK");
        assert_eq!(ask(ports[0], &["cluster", "meet", "127.0.0.1", &port.to_string()]), "OK");
    }
    for port in &ports {
        until("the cluster to form", async || {
            let info = ask(*port, &["cluster", "info"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
        .await;
    }
    let stage = Stage::open_at(pg, format!("redis-cluster://127.0.0.1:{}", ports[0])).await;
    run_a_few(&stage, 30).await;
    // Where they wait, all in one place; and it was Redis that gave them out, or they would be there still.
    let waiting = async || {
        let keys = ports.iter().map(|port| ask(*port, &["--scan", "--pattern", "*:ready:*"]));
        keys.map(|keys| keys.lines().count()).collect::<Vec<_>>()
    };
    assert_eq!(waiting().await, [0, 0, 0]);
    stage.enqueue(&job()).await;
    stage.enqueue(&NewJob::new("act", "family/member", json!({}))).await;
    assert_eq!(waiting().await.into_iter().max(), Some(2), "one node has both");
    assert_eq!(waiting().await.into_iter().sum::<usize>(), 2, "and no other has any");
    run_a_few(&stage, 3).await;
    assert_eq!((waiting().await, store::count(&stage.pg, "succeeded").await), (vec![0, 0, 0], 35));
    let mut heard = stage.queue.subscribe("news");
    until("a message to arrive", async || {
        stage.queue.publish("news", "hello").await;
        heard.try_recv().is_ok()
    })
    .await;
}

#[sqlx::test]
async fn a_failover_by_sentinel_loses_no_job(pg: PgPool) {
    let mut servers = Servers::new();
    let first = servers.start(&[]).await;
    let second = servers.start(&["--replicaof", "127.0.0.1", &first.to_string()]).await;
    until("the replica to follow", async || ask(second, &["info", "replication"]).contains("master_link_status:up"))
        .await;
    let sentinel = servers.start(&["--sentinel"]).await;
    assert_eq!(ask(sentinel, &["sentinel", "monitor", "queue", "127.0.0.1", &first.to_string(), "1"]), "OK");
    for (name, value) in [("down-after-milliseconds", "1000"), ("failover-timeout", "5000")] {
        assert_eq!(ask(sentinel, &["sentinel", "set", "queue", name, value]), "OK");
    }
    until("the sentinel to know the replica", async || {
        ask(sentinel, &["sentinel", "replicas", "queue"]).contains("slave")
    })
    .await;
    let url = format!("redis-sentinel://127.0.0.1:{sentinel}?sentinelServiceName=queue");
    let stage = Stage::open_at(pg, url).await;
    run_a_few(&stage, 10).await;
    // Some are waiting when the master goes.
    for _ in 0..10 {
        stage.enqueue(&job()).await;
    }
    servers.children[0].kill().unwrap();
    let running = stage.start(&willing(), quick());
    until("what waited to run", async || store::count(&stage.pg, "succeeded").await == 20).await;
    until("the replica to be used", async || stage.queue.health().await.epoch_ok).await;
    running.end().await;
    stage.enqueue(&job()).await;
    assert!(ask(second, &["--scan", "--pattern", "*:ready:*"]).ends_with(":ready:local"), "the replica dispatches");
    run_a_few(&stage, 10).await;
    assert_eq!(ask(second, &["--scan", "--pattern", "*:ready:*"]), "", "and gives out");
    assert_eq!(store::count(&stage.pg, "succeeded").await, 31, "the last one too");
    assert_eq!(
        ask(sentinel, &["sentinel", "get-master-addr-by-name", "queue"]).lines().last(),
        Some(second.to_string().as_str())
    );
}

#[sqlx::test]
async fn a_full_redis_is_worked_around(pg: PgPool) {
    let mut servers = Servers::new();
    let port = servers.start(&["--maxmemory-policy", "noeviction"]).await;
    let stage = Stage::open_at(pg, format!("redis://127.0.0.1:{port}")).await;
    run_a_few(&stage, 3).await;
    assert_eq!(ask(port, &["config", "set", "maxmemory", "1mb"]), "OK");
    until("the full redis to be noticed", async || !stage.queue.health().await.redis).await;
    let worker = stage.worker(&willing());
    stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1, "claimed from postgres");
    assert_eq!(ask(port, &["config", "set", "maxmemory", "0"]), "OK");
    until("redis to be used again", async || stage.queue.health().await.redis).await;
    run_a_few(&stage, 3).await;
}

#[sqlx::test]
async fn thousands_due_at_the_same_moment_all_start(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let running = stage
        .start(&willing(), WorkerSettings { concurrency: 200, limits: jobs::Limits::of_any_group(200), ..quick() });
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    let due = chrono::Utc::now() + chrono::TimeDelta::seconds(1);
    let batch: Vec<NewJob> = (0..8_001).map(|_| NewJob { run_at: due, ..job() }).collect();
    let ids = stage.queue.submit(&batch).await.unwrap();
    assert_eq!(ids.len(), 8_001);
    until("all to end", async || store::count(&stage.pg, "succeeded").await == 8_001).await;
    running.end().await;
}

#[sqlx::test]
async fn submitting_twice_is_one_job_each(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let batch = [job(), NewJob { dedupe_key: Some("one".into()), ..job() }];
    let first = stage.queue.submit(&batch).await.unwrap();
    let again = [batch[0].clone(), NewJob { dedupe_key: Some("one".into()), ..job() }];
    assert_eq!(stage.queue.submit(&again).await.unwrap(), first);
    let wrong = [job(), NewJob { priority: 5_000, ..job() }];
    assert!(stage.queue.submit(&wrong).await.is_err());
    assert_eq!(store::count(&stage.pg, "queued").await, 2, "all or none");
    assert_ne!(Queue::clone(&stage.queue).depth().await.unwrap().waiting, 0);
}
