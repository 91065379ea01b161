//! Models from a file: loaded by hand, known to every process.

use std::path::{Path, PathBuf};

use crate::{
    house::{Ground, free_address},
    program::{Program, run},
};

const OWN: &str = include_str!("../../providers/catalogue.toml");
const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
const NEW: &str = "fal-ai/pika/v9/pikaframes";

/// The program's own row of Pika under another name.
fn row(id: &str) -> String {
    let row = OWN.split("[[model]]").find(|row| row.contains(&format!("id = \"{PIKA}\""))).unwrap();
    format!("[[model]]{}", row.replace(PIKA, id))
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
async fn a_model_of_a_file_can_be_bought_from_without_a_release() {
    let listen = free_address().to_string();
    let simulator = free_address().to_string();
    let ground = Ground::fresh().await.with(&[
        ("LISTEN", &listen),
        ("SIMULATOR_URL", &format!("http://{simulator}/")),
        ("PRODUCT_CLIP_MODELS", NEW),
    ]);
    assert_eq!(run(&["migrate"], &ground.settings).0, 0);
    let (code, _, error) = run(&["serve"], &ground.settings);
    assert!(code != 0 && error.contains("PRODUCT_CLIP_MODELS") && error.contains(PIKA), "{error}");
    let file = write(&ground.dir, "new.toml", &row(NEW)).display().to_string();
    let (code, said, _) = run(&["admin", "load-models", &file], &ground.settings);
    assert!(code == 0 && said.contains("1 of 1 rows are new"), "{said}");
    let (code, said, _) = run(&["admin", "load-models", &file], &ground.settings);
    assert!(code == 0 && said.contains("0 of 1 rows are new"), "{said}");
    let serve = Program::start(&["serve"], &ground.settings, &ground.dir);
    assert!(serve.first_line().contains(&listen));
    let _simulate = Program::start(
        &["simulate", "--listen", &simulator],
        &Vec::from([("STATE_DIR", ground.dir.join("simulator").display().to_string())]),
        &ground.dir,
    );
    let checked = async || run(&["admin", "check-providers"], &ground.settings);
    let mut found = checked().await;
    for _ in 0..100 {
        if !found.2.contains("could not be asked") && !found.1.contains("could not be asked") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        found = checked().await;
    }
    let (code, said, error) = found;
    assert!(said.contains("A simulator was asked") && said.contains("those of the database"), "{said}{error}");
    assert!(said.contains(&format!("! {NEW}: not listed any more")), "the simulator has no such model: {said}");
    assert!(code != 0 && error.contains("1 model needs a look"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_wrong_is_refused_by_its_row_and_changes_nothing() {
    let ground = Ground::fresh().await;
    assert_eq!(run(&["migrate"], &ground.settings).0, 0);
    let refused = |name: &str, text: &str, args: &[&str]| {
        let file = write(&ground.dir, name, text).display().to_string();
        let settings = if args.contains(&"--check") { Vec::new() } else { ground.settings.clone() };
        let (code, _, error) = run(&[&["admin", "load-models", &file], args].concat(), &settings);
        assert!(code != 0 && error.contains(name) && !error.contains("panicked"), "{error}");
        error
    };
    let unpriced = row(NEW).replace("price_version = \"", "price_version = \"\" # \"");
    assert!(refused("unpriced.toml", &unpriced, &["--check"]).contains(NEW));
    assert!(refused("rubbish.toml", "model = 3", &["--check"]).contains("does not parse"));
    let twice = row(PIKA).replace("valid_from = \"2026-07-10\"", "valid_from = \"2026-12-01\"");
    assert!(refused("twice.toml", &twice, &["--check"]).contains("the same price_version"));
    for (name, was, is) in [
        ("photos.toml", "photos_max = ", "photos_max = 0 # "),
        ("types.toml", "image/jpeg", "image/jpgg"),
        ("id.toml", NEW, "../../x?y=1"),
        ("source.toml", "source = \"", "source = \" \" # \""),
    ] {
        assert!(refused(name, &row(NEW).replacen(was, is, 1), &["--check"]).contains("the catalogue's row"), "{name}");
    }
    let own = row(PIKA).replace("source = \"", "source = \"another ");
    assert!(refused("own.toml", &own, &["--check"]).contains("later valid_from"));
    let (code, said, _) = {
        let file = write(&ground.dir, "good.toml", &row(NEW)).display().to_string();
        run(&["admin", "load-models", &file, "--check"], &Vec::new())
    };
    assert!(code == 0 && said.contains("can be used"), "{said}");
    assert_eq!(ground.database.number("select count(*) from catalogue_rows").await, 0, "only looked at");
    // The same price twice, from two days: each file alone is right.
    let file = write(&ground.dir, "first.toml", &row(NEW)).display().to_string();
    assert_eq!(run(&["admin", "load-models", &file], &ground.settings).0, 0);
    let day = row(NEW).lines().find(|line| line.starts_with("valid_from")).unwrap().to_owned();
    let later = row(NEW).replace(&day, "valid_from = \"2026-11-20\"");
    assert!(refused("later.toml", &later, &[]).contains("two rows of the model have the same price_version"));
    assert_eq!(ground.database.number("select count(*) from catalogue_rows").await, 1);
}
