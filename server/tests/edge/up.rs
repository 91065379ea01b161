//! `lookreel up` on a bare machine: its own Postgres, Redis and object store, and nothing left of them after Ctrl-C.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use nix::sys::signal::Signal;

use crate::{
    browser::Browser,
    house::{EMAIL, Ground, free_address},
    program::{Program, Settings, run},
};

/// A live process: its number, its parent's, its command line.
type Process = (i32, i32, String);

fn processes() -> Vec<Process> {
    let found = Command::new("ps").args(["-A", "-ww", "-o", "pid=,ppid=,command="]).output().unwrap();
    let lines = String::from_utf8_lossy(&found.stdout).into_owned();
    let read = |line: &str| {
        let (pid, rest) = line.trim().split_once(char::is_whitespace)?;
        let (parent, command) = rest.trim().split_once(char::is_whitespace)?;
        Some((pid.parse().ok()?, parent.parse().ok()?, command.trim().to_owned()))
    };
    lines.lines().filter_map(read).collect()
}

/// What a process started, and what that started.
fn started_by(pid: i32) -> Vec<Process> {
    let all = processes();
    let mut family = vec![pid];
    let mut found: Vec<Process> = Vec::new();
    while let Some(parent) = family.pop() {
        for child in all.iter().filter(|(_, its_parent, _)| *its_parent == parent) {
            family.push(child.0);
            found.push(child.clone());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_c_ends_everything_and_data_survives() {
    let ground = Ground::fresh().await;
    let state_dir = ground.dir.join("state").display().to_string();
    let listen = free_address().to_string();
    let kept = ["LEPTOS_SITE_ROOT", "TRUSTED_PROXIES"];
    let settings: Settings = ground.settings.iter().filter(|(name, _)| kept.contains(name)).cloned().collect();
    let args = ["up", "--state-dir", &state_dir, "--listen", &listen, "--ready-json", "--no-demo"];
    let mut passwords = Vec::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let program = Program::start(&args, &settings, &ground.dir);
        let ready = program.ready();
        let url = ready["url"].as_str().unwrap();
        let password = ready["admin_password"].as_str().unwrap().to_owned();
        let admin = Browser::new(url).signed_in(EMAIL, &password).await;
        let page = admin.page("/admin/products").await;
        assert!(page.contains("</html>"));
        passwords.push(password);
        let family = started_by(program.pid().as_raw());
        for part in ["postgres", "redis"] {
            assert!(family.iter().any(|(_, _, command)| command.contains(part)), "its own {part} runs: {family:?}");
        }
        // A browser that watches does not keep it from stopping.
        let watching = admin.get("/events/generations").send().await.unwrap();
        let (status, took) = tokio::task::spawn_blocking(move || program.stop(signal)).await.unwrap();
        drop(watching);
        assert!(status.success(), "{signal}: {status}");
        assert!(took.as_secs() < 20, "{signal}: it took {took:?} to stop");
        let left: Vec<Process> = processes()
            .into_iter()
            .filter(|(pid, _, command)| {
                let is_known = family.iter().any(|(known, _, line)| known == pid && line == command);
                is_known || command.contains(&state_dir)
            })
            .collect();
        assert!(left.is_empty(), "{signal}: something is left running: {left:?}");
    }
    assert_eq!(passwords[0], passwords[1], "the account survived the restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_password_is_told_while_it_opens() {
    let listen = free_address().to_string();
    let ground = Ground::fresh().await.with(&[("LISTEN", &listen)]);
    let state_dir = ground.dir.join("state").display().to_string();
    let start = |args: &[&str]| {
        let all = [&["up", "--state-dir", &state_dir, "--no-demo"], args].concat();
        Program::start(&all, &ground.settings, &ground.dir)
    };
    for _ in 0..2 {
        let ready = start(&["--ready-json"]).ready();
        assert!(ready["admin_password"].as_str().is_some_and(|password| password.len() >= 16), "{ready}");
    }
    let mut settings = ground.settings.clone();
    settings.push(("ADMIN_PASSWORD", "a password of my own".to_owned()));
    assert_eq!(run(&["admin", "create-user", EMAIL], &settings).0, 0);
    let ready = start(&["--ready-json"]).ready();
    assert_eq!((ready["admin_email"].as_str(), ready["admin_password"].as_str()), (Some(EMAIL), None));
    // What stays in the work folder is for its owner's eyes.
    let mode = std::fs::metadata(ground.dir.join("work")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
