//! Settings: a wrong or missing one stops the start and is named.

use std::{collections::BTreeSet, path::Path};

use crate::{
    house::{Ground, House},
    program::{Program, Settings, run},
    store::Database,
};

/// The settings without some.
fn without(settings: &Settings, names: &[&str]) -> Settings {
    settings.iter().filter(|(name, _)| !names.contains(name)).cloned().collect()
}

fn refusal(args: &[&str], settings: &Settings) -> String {
    let (code, _, error) = run(args, settings);
    assert_ne!(code, 0, "{args:?} started");
    assert!(!error.contains("panicked"), "{error}");
    error
}

#[tokio::test]
async fn a_missing_setting_is_named_with_what_it_takes() {
    let ground = Ground::fresh().await.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/")]);
    for (name, expected) in [
        ("DATABASE_URL", "postgres://"),
        ("REDIS_URL", "redis://"),
        ("S3_BUCKET", "bucket"),
        ("S3_ACCESS_KEY_ID", "key"),
        ("S3_SECRET_ACCESS_KEY", "key"),
        ("CALLBACK_SECRET", "32"),
    ] {
        for role in ["serve", "work"] {
            let error = refusal(&[role], &without(&ground.settings, &[name]));
            assert!(error.contains(&format!("{name} is not set")) && error.contains(expected), "{role}: {error}");
        }
    }
    for role in ["migrate", "admin"] {
        let args: &[&str] = if role == "admin" { &["admin", "create-user", "a@shop.example"] } else { &[role] };
        let mut settings = without(&ground.settings, &["DATABASE_URL"]);
        settings.push(("ADMIN_PASSWORD", "a long enough password".to_owned()));
        assert!(refusal(args, &settings).contains("DATABASE_URL is not set"));
    }
    run(&["migrate"], &ground.settings);
    for (missing, given) in [("FAL_KEY", ("GEMINI_API_KEY", "key")), ("GEMINI_API_KEY", ("FAL_KEY", "id:secret"))] {
        let mut settings = without(&ground.settings, &["SIMULATOR_URL"]);
        settings.push((given.0, given.1.to_owned()));
        assert!(refusal(&["work"], &settings).contains(&format!("{missing} is not set")));
    }
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_what_it_takes() {
    let ground = Ground::fresh().await;
    for (name, value, expected) in [
        ("DAILY_SPEND_USD", "abc", "US dollars"),
        ("DAILY_SPEND_USD", "-1", "US dollars"),
        ("REPEAT_BELOW_USD", "0,05", "US dollars"),
        ("LISTEN", "localhost", "LISTEN"),
        ("SHOP_ZONE", "Mars/Olympus", "SHOP_ZONE"),
        ("LEASE_SECS", "1", "2..=600"),
        ("MAX_ATTEMPTS", "0", "1..=20"),
        ("POLL_INTERVAL_SECS", "soon", "seconds"),
        ("S3_PATH_STYLE", "maybe", "true"),
        ("LOG_FORMAT", "xml", "json"),
        ("CALLBACK_SECRET", "too short", "at least 32"),
        ("PUBLIC_URL", "shop", "PUBLIC_URL"),
    ] {
        let mut settings = without(&ground.settings, &[name]);
        settings.push((name, value.to_owned()));
        let error = refusal(&["serve"], &settings);
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        assert!(error.contains(name) || error.contains(&flag), "{name}={value}: {error}");
        assert!(error.contains(expected) || error.contains(&flag), "{name}={value}: {error}");
    }
}

#[tokio::test]
async fn secrets_are_never_printed() {
    let ground = Ground::fresh().await;
    let mut settings = without(&ground.settings, &["DATABASE_URL", "CALLBACK_SECRET"]);
    settings.push(("DATABASE_URL", "postgres://user:hunter2secret@127.0.0.1:1/none".to_owned()));
    settings.push(("CALLBACK_SECRET", "hunter2secret".to_owned()));
    for args in [&["serve"][..], &["work"], &["migrate"], &["serve", "--help"], &["up", "--help"]] {
        let (_, out, error) = run(args, &settings);
        assert!(!out.contains("hunter2secret") && !error.contains("hunter2secret"), "{args:?}: {error}");
    }
    assert!(refusal(&["migrate"], &settings).contains("DATABASE_URL"), "what to check is named");
}

#[tokio::test]
async fn an_old_database_is_refused_with_the_way_out() {
    let ground = Ground::fresh().await.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/")]);
    for role in ["serve", "work"] {
        let error = refusal(&[role], &ground.settings);
        assert!(error.contains("not up to date") && error.contains("lookreel migrate"), "{role}: {error}");
    }
    // Two processes at once, and again: migrating is safe.
    let settings = ground.settings.clone();
    let other = std::thread::spawn(move || run(&["migrate"], &settings).0);
    assert_eq!((run(&["migrate"], &ground.settings).0, other.join().unwrap()), (0, 0));
    assert_eq!(run(&["migrate"], &ground.settings).0, 0);
    let listen = crate::house::free_address().to_string();
    let ground = ground.with(&[("LISTEN", &listen)]);
    let serve = Program::start(&["serve"], &ground.settings, &ground.dir);
    assert!(serve.first_line().contains(&listen));
}

#[tokio::test]
async fn accounts_need_a_real_address_and_a_long_password() {
    let ground = Ground::fresh().await;
    run(&["migrate"], &ground.settings);
    let create = |email: &str, password: &str| {
        let mut settings = ground.settings.clone();
        settings.push(("ADMIN_PASSWORD", password.to_owned()));
        run(&["admin", "create-user", email], &settings)
    };
    assert_ne!(create("not an address", "a long enough password").0, 0);
    let (code, _, error) = create("a@shop.example", "short");
    assert!(code != 0 && error.contains("at least 10 characters"), "{error}");
    assert_eq!(create("a@shop.example", "a long enough password").0, 0);
    assert_eq!(create("A@Shop.example", "another long password").0, 0, "a new password for the same account");
    let database: &Database = &ground.database;
    assert_eq!(database.number("select count(*) from users").await, 1);
    assert_eq!(database.number("select max(auth_epoch) from users").await, 1, "its sessions ended");
}

#[test]
fn help_names_every_role() {
    let (code, out, _) = run(&["--help"], &Vec::new());
    assert_eq!(code, 0);
    for role in ["serve", "work", "up", "migrate", "simulate", "admin"] {
        assert!(out.lines().any(|line| line.trim_start().starts_with(role)), "{role} is not in the help");
    }
    assert_eq!(run(&["--version"], &Vec::new()).0, 0);
    assert_ne!(run(&["dance"], &Vec::new()).0, 0);
    assert_ne!(run(&[], &Vec::new()).0, 0);
}

#[test]
fn every_setting_is_in_the_example() {
    let mut known = BTreeSet::new();
    for args in [&["up"][..], &["serve"], &["work"], &["simulate"], &["migrate"], &["admin", "create-user"]] {
        let (code, out, _) = run(&[args, &["--help"]].concat(), &Vec::new());
        assert_eq!(code, 0);
        known.extend(out.split("[env: ").skip(1).map(|rest| rest.split(['=', ']']).next().unwrap().to_owned()));
    }
    assert!(known.len() > 25, "{known:?}");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    let example = std::fs::read_to_string(example).expect(".env.example is in the checkout");
    let documented: BTreeSet<String> = example
        .lines()
        .map(|line| line.trim_start_matches(['#', ' ']))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().to_owned()))
        .filter(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
        })
        .collect();
    let missing: Vec<_> = known.difference(&documented).collect();
    assert!(missing.is_empty(), "not in .env.example: {missing:?}");
}

#[tokio::test]
async fn a_setting_that_is_empty_is_not_set() {
    let empty =
        ["FAL_KEY", "GEMINI_API_KEY", "SIMULATOR_URL", "PUBLIC_URL", "DAILY_SPEND_USD", "LOG_FORMAT", "RUST_LOG"];
    let house = House::build(&empty.map(|name| (name, ""))).await;
    assert!(house.simulator.starts_with("http://127.0.0.1:"), "the simulator is on: {}", house.simulator);
    assert_eq!(house.visitor().get("/products").send().await.unwrap().status(), 200);
    let ground = Ground::fresh().await.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/"), ("DATABASE_URL", "")]);
    for role in ["serve", "work", "migrate"] {
        let error = refusal(&[role], &ground.settings);
        assert!(error.contains("DATABASE_URL is not set"), "{role}: {error}");
    }
}
