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

/// What is said of a setting that is not there.
fn missing(name: &str) -> String {
    format!("{name} ({}) is not set: expected ", flag(name))
}

fn flag(name: &str) -> String {
    format!("--{}", name.to_lowercase().replace('_', "-"))
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
            assert!(error.contains(&missing(name)) && error.contains(expected), "{role}: {error}");
        }
    }
    for role in ["migrate", "admin"] {
        let args: &[&str] = if role == "admin" { &["admin", "create-user", "a@shop.example"] } else { &[role] };
        let mut settings = without(&ground.settings, &["DATABASE_URL"]);
        settings.push(("ADMIN_PASSWORD", "a long enough password".to_owned()));
        assert!(refusal(args, &settings).contains(&missing("DATABASE_URL")));
    }
    run(&["migrate"], &ground.settings);
    for (missing, given) in [("FAL_KEY", ("GEMINI_API_KEY", "key")), ("GEMINI_API_KEY", ("FAL_KEY", "id:secret"))] {
        let mut settings = without(&ground.settings, &["SIMULATOR_URL"]);
        settings.push((given.0, given.1.to_owned()));
        assert!(refusal(&["work"], &settings).contains(&self::missing(missing)));
    }
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_what_was_given_and_what_it_takes() {
    let ground = Ground::fresh().await;
    let ground = ground.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/"), ("LISTEN", "127.0.0.1:0")]);
    run(&["migrate"], &ground.settings);
    for (name, value, expected) in [
        ("LISTEN", "localhost:3000", "an IP address and a port, like"),
        ("METRICS_LISTEN", "9464", "an IP address and a port, like"),
        ("PUBLIC_URL", "shop", "an http or https address, like"),
        ("PUBLIC_URL", "localhost:3000", "an http or https address, like"),
        ("SIMULATOR_URL", "127.0.0.1:3900", "an http or https address, like"),
        ("S3_ENDPOINT", "minio", "an http or https address, like"),
        ("S3_BUCKET", "My Bucket", "3 to 63 of a-z"),
        ("S3_PATH_STYLE", "maybe", "true or false"),
        ("S3_OBJECT_TAGS", "maybe", "true or false"),
        ("REDIS_NAMESPACE", "a b", "1 to 64 letters"),
        ("MEDIA_BASE_URL", "media", "a path like /media"),
        ("MEDIA_CACHE_MIB", "-1", "a whole number from 0 to 65536"),
        ("TRUSTED_PROXIES", "one", "a whole number from 0 to 32"),
        ("SHOP_ZONE", "Mars/Olympus", "a zone of the IANA database, like"),
        ("DAILY_GENERATIONS", "many", "a whole number from 0 to"),
        ("DAILY_SPEND_USD", "abc", "US dollars"),
        ("DAILY_SPEND_USD", "-1", "US dollars"),
        ("REPEAT_BELOW_USD", "0,05", "US dollars"),
        ("WORKER_CONCURRENCY", "0", "a whole number from 1 to 256"),
        ("GRACE_SECS", "-5", "a whole number from 0 to"),
        ("LEASE_SECS", "1", "a whole number from 2 to 600"),
        ("MAX_ATTEMPTS", "0", "a whole number from 1 to 20"),
        ("RETRY_BASE_SECS", "601", "a whole number from 0 to 600"),
        ("JOB_TIMEOUT_SECS", "9", "a whole number from 10 to 86400"),
        ("POLL_INTERVAL_SECS", "soon", "seconds from 0 to 86400"),
        ("POLL_TIMEOUT_SECS", "90000", "seconds from 0 to 86400"),
        ("LOOKUP_AFTER_SECS", "-1", "seconds from 0 to 86400"),
        ("SLOTS", "fal", "like fal=4"),
        ("RATES", "fal=4", "like gemini=60/60"),
        ("USER_SLOTS", "0", "a whole number from 1 to"),
        ("KEEP_JOBS_DAYS", "for ever", "a whole number from 0 to 3650"),
        ("ROUTINES", "no", "true or false"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("PRODUCT_STILL_MODELS", "fal-ai/pika/v2.2/pikaframes", "one or more models of the catalogue"),
        ("TRYON_CLIP_MODELS", "pika", "separated by commas: fal-ai/"),
        ("WORK_DIR", "/dev/null/work", "a folder of its own"),
        ("LISTEN", "192.0.2.1:80", "an address of this machine with a free port"),
    ] {
        let mut settings = without(&ground.settings, &[name]);
        settings.push((name, value.to_owned()));
        let error = refusal(&["serve"], &settings);
        let said = format!("{name} ({}) is `{value}`: expected ", flag(name));
        assert!(error.contains(&said) && error.contains(expected), "{name}={value}: {error}");
    }
    let mut settings = ground.settings.clone();
    settings.push(("RUST_LOG", "engine=loud".to_owned()));
    assert!(refusal(&["serve"], &settings).contains("RUST_LOG is `engine=loud`: expected levels like info"));
    let error = refusal(&["serve", "--lease-secs", "0"], &ground.settings);
    assert!(error.contains("LEASE_SECS (--lease-secs) is `0`"), "a flag is named like its variable: {error}");
    let error = refusal(&["simulate", "--listen", "here"], &Vec::new());
    assert!(error.contains("SIMULATOR_LISTEN (--listen) is `here`"), "roles share the name of the flag: {error}");
}

#[tokio::test]
async fn a_wrong_secret_is_named_with_what_it_takes_only() {
    let ground = Ground::fresh().await;
    let ground = ground.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/"), ("LISTEN", "127.0.0.1:0")]);
    run(&["migrate"], &ground.settings);
    for (name, value, expected) in [
        ("DATABASE_URL", "mysql://hunter2secret@host/shop", "begins with `mysql://`"),
        ("DATABASE_URL", "hunter2secret", "postgres://user:password@host/database"),
        ("REDIS_URL", "hunter2secret", "redis://host:6379"),
        ("CALLBACK_SECRET", "hunter2secret", "at least 32 random characters"),
        ("FAL_KEY", "hunter2secret with words", "one word"),
        ("GEMINI_API_KEY", "hunter2secret with words", "one word"),
    ] {
        let mut settings = without(&ground.settings, &[name]);
        settings.push((name, value.to_owned()));
        let error = refusal(&["serve"], &settings);
        assert!(error.contains(&format!("{name} ({})", flag(name))) && error.contains(expected), "{name}: {error}");
        assert!(!error.contains("hunter2"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_folder_without_a_built_site_stops_the_start() {
    let ground = Ground::fresh().await.with(&[("SIMULATOR_URL", "http://127.0.0.1:9/")]);
    let empty = ground.dir.join("no-site");
    std::fs::create_dir_all(empty.join("pkg")).unwrap();
    let state_dir = ground.dir.join("state").display().to_string();
    let ground = ground.with(&[("LEPTOS_SITE_ROOT", &empty.display().to_string())]);
    for args in [&["serve"][..], &["up", "--state-dir", &state_dir, "--no-demo"]] {
        let error = refusal(args, &ground.settings);
        let said = format!("LEPTOS_SITE_ROOT (--site-root) is `{}`: expected the folder", empty.display());
        assert!(error.contains(&said) && error.contains("make build"), "{args:?}: {error}");
    }
    assert!(!ground.dir.join("state").exists(), "nothing was started before");
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
    assert!(code != 0 && error.contains("ADMIN_PASSWORD (--password)"), "{error}");
    assert!(error.contains("at least 10 characters"), "{error}");
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
        assert!(error.contains(&missing("DATABASE_URL")), "{role}: {error}");
    }
}
