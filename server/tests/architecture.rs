//! The arrows of the architecture, read from the manifests and the sources themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Longest source file.
const FILE_MAX_LINES: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every crate of ours with its dependencies: name, and whether only tests need it.
fn manifests() -> BTreeMap<String, Vec<(String, bool)>> {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        dependencies.iter().map(|one| (word(&one["name"]), one["kind"] == "dev")).collect()
    };
    told["packages"].as_array().unwrap().iter().map(|package| (word(&package["name"]), of(package))).collect()
}

#[test]
fn arrows_point_one_way() {
    let manifests = manifests();
    let ours: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    let arrows: BTreeMap<&str, BTreeSet<&str>> = manifests
        .iter()
        .map(|(name, dependencies)| {
            let of_ours = dependencies.iter().filter(|(_, is_dev)| !is_dev).map(|(name, _)| name.as_str());
            (name.as_str(), of_ours.filter(|name| ours.contains(name)).collect())
        })
        .collect();
    let wanted: BTreeMap<&str, BTreeSet<&str>> = [
        ("domain", &[][..]),
        ("jobs", &[]),
        ("simulator", &[]),
        ("providers", &["domain"]),
        ("media", &["domain"]),
        ("storage", &["domain"]),
        ("engine", &["domain", "jobs", "media", "providers", "storage"]),
        ("app", &["domain", "engine"]),
        ("frontend", &["app"]),
        ("server", &["app", "domain", "engine", "jobs", "media", "providers", "simulator", "storage"]),
    ]
    .into_iter()
    .map(|(name, dependencies)| (name, dependencies.iter().copied().collect()))
    .collect();
    assert_eq!(arrows, wanted);
}

#[test]
fn the_page_names_no_database_and_no_vendor() {
    for (name, dependencies) in
        manifests().iter().filter(|(name, _)| ["app", "frontend", "domain"].contains(&name.as_str()))
    {
        for (dependency, _) in dependencies {
            let is_foreign = ["sqlx", "fred", "aws-sdk-s3", "reqwest", "tokio-postgres", "s3s", "jobs", "simulator"]
                .contains(&dependency.as_str());
            assert!(!is_foreign, "{name} depends on {dependency}");
        }
    }
    // The engine is for the server's half of the page only.
    let manifest = std::fs::read_to_string(root().join("app/Cargo.toml")).unwrap();
    let engine = manifest.lines().find(|line| line.starts_with("engine")).unwrap();
    assert!(engine.contains("optional = true"), "{engine}");
}

/// Every source file below a folder.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The `src` folders of every crate of ours.
fn every_source() -> Vec<(PathBuf, String)> {
    let parts =
        ["engine", "jobs", "media", "providers", "simulator", "storage"].map(|name| format!("server/{name}/src"));
    let others = ["app/src", "app/domain/src", "frontend/src", "server/src"].map(str::to_owned);
    let found: Vec<_> = parts.iter().chain(&others).flat_map(|folder| sources(&root().join(folder))).collect();
    assert!(found.len() > 150, "only {} files were found", found.len());
    found
}

#[test]
fn sql_is_in_stores_only() {
    for (path, text) in every_source() {
        let is_store = path.file_name().is_some_and(|name| name == "store.rs");
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        assert!(is_store || is_test || !text.contains("sqlx::query"), "SQL in {}", path.display());
    }
    for name in ["media", "providers", "simulator", "storage"] {
        let stores: Vec<_> = sources(&root().join(format!("server/{name}/src")));
        assert!(stores.iter().all(|(_, text)| !text.contains("sqlx")), "{name} knows a database");
    }
}

#[test]
fn views_bring_no_style_of_their_own() {
    for (path, text) in sources(&root().join("app/src")) {
        // A view says `style="…"` or `style=…` after a space; tests that look for it in a page name it in quotes.
        for forbidden in [" style=", " onclick=", "<style"] {
            assert!(!text.contains(forbidden), "{forbidden} in {}", path.display());
        }
        let is_path = |rest: &str| rest.starts_with(':');
        assert!(text.split(" style:").skip(1).all(is_path), "style: in {}", path.display());
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = every_source()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_MAX_LINES)
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "longer than {FILE_MAX_LINES} lines: {long:#?}");
}

#[test]
fn modules_live_in_their_folders() {
    for (path, _) in every_source() {
        let folder = path.with_extension("");
        assert!(!folder.is_dir(), "{} beside {}: use mod.rs", path.display(), folder.display());
    }
}
