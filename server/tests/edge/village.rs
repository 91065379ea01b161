//! Simulator, server and workers as processes of their own, so that one can die without the others.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use uuid::Uuid;

use crate::{
    browser::Browser,
    click::{click, generation_of},
    house::{EMAIL, Ground, free_address},
    program::{Program, Settings, run},
};

const PASSWORD: &str = "a long enough password";

/// A simulator and a server; workers are started by the tests.
pub struct Village {
    pub ground: Ground,
    pub simulator: String,
    pub admin: Browser,
    _simulate: Program,
    _serve: Program,
}

impl Village {
    pub async fn build(changed: &[(&'static str, &str)]) -> Self {
        let listen = free_address();
        let url = format!("http://{listen}/");
        let ground = Ground::fresh().await.with(&[
            ("LISTEN", &listen.to_string()),
            ("LEASE_SECS", "2"),
            ("WORKER_CONCURRENCY", "2"),
            // Long enough to be met in the middle.
            ("SIMULATOR_STILL_DELAY_MS", "400"),
            ("SIMULATOR_CLIP_DELAY_MS", "600"),
        ]);
        let ground = ground.with(changed);
        let simulate = role(&ground, &["simulate", "--listen", "127.0.0.1:0", "--ready-json", "--dir", &path(&ground)]);
        let simulator = simulate.ready()["simulator_url"].as_str().unwrap().to_owned();
        let ground = ground.with(&[("SIMULATOR_URL", &simulator)]);
        assert_eq!(run(&["migrate"], &ground.settings).0, 0);
        let settings = ground.settings.iter().cloned().chain([("ADMIN_PASSWORD", PASSWORD.to_owned())]).collect();
        let (code, _, error) = run(&["admin", "create-user", EMAIL], &settings);
        assert_eq!(code, 0, "{error}");
        let serve = role(&ground, &["serve"]);
        assert!(serve.first_line().contains("serves"));
        let admin = Browser::new(&url).signed_in(EMAIL, PASSWORD).await;
        Self { ground, simulator, admin, _simulate: simulate, _serve: serve }
    }

    pub fn worker(&self) -> Program {
        role(&self.ground, &["work"])
    }

    /// A worker whose clock is off, like `+1h`.
    #[cfg(target_os = "linux")]
    pub fn worker_with_clock(&self, shift: &str) -> Program {
        // faketime itself would stay between us and the worker.
        let asked = Command::new("faketime").args(["-m", "-f", shift, "printenv", "LD_PRELOAD"]).output().unwrap();
        let library = String::from_utf8(asked.stdout).unwrap();
        let turned = [
            ("LD_PRELOAD", library.trim()),
            ("FAKETIME", shift),
            // Only the time of day is wrong: the clock that counts seconds never is.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let turned = turned.map(|(name, value)| (name, value.to_owned()));
        let settings = self.ground.settings.iter().cloned().chain(turned).collect();
        Program::start(&["work"], &settings, &self.ground.dir)
    }

    /// A worker that finds its database at another address.
    pub fn worker_behind(&self, database_url: &str) -> Program {
        let others = self.ground.settings.iter().filter(|(name, _)| *name != "DATABASE_URL").cloned();
        let settings: Settings = others.chain([("DATABASE_URL", database_url.to_owned())]).collect();
        Program::start(&["work"], &settings, &self.ground.dir)
    }

    pub async fn click(&self, name: &str) -> Uuid {
        let product = self.ground.add_product(name).await;
        let key = Uuid::now_v7();
        click(&self.admin, product.id, key).await;
        generation_of(&self.ground.database, key).await
    }
}

fn role(ground: &Ground, args: &[&str]) -> Program {
    Program::start(args, &ground.settings, &ground.dir)
}

fn path(ground: &Ground) -> String {
    Path::new(&ground.dir).join("simulator").display().to_string()
}
