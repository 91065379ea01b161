//! Adding models and prices from a file: no release is needed for them.

use std::{io::Read as _, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use providers::{Catalogue, ModelRow};

use super::{migrate, say};
use crate::config::Common;

/// Add models and prices from a file to the catalogue; processes that run see them within seconds.
#[derive(Debug, Args)]
pub struct LoadModels {
    /// A file of the form of server/providers/catalogue.toml; `-` is standard input.
    file: PathBuf,
    /// Only say whether the file can be used; needs no database.
    #[arg(long)]
    check: bool,
}

/// Loads, and says what was new.
pub async fn run(common: &Common, task: LoadModels) -> anyhow::Result<()> {
    let name = task.file.display();
    let text = read(&task.file).with_context(|| format!("{name} could not be read"))?;
    let rows = Catalogue::parse(&text).with_context(|| format!("{name} cannot be used"))?;
    let own = Catalogue::embedded().context("the model catalogue could not be read")?;
    if let Some(row) = rows.rows().iter().find(|row| is_changed(&own, row)) {
        anyhow::bail!(
            "{name} cannot be used: the row of {} from {} is one of this program's own; give yours a later valid_from",
            row.model(),
            row.valid_from
        );
    }
    let same =
        |one: &&ModelRow| !rows.rows().iter().any(|row| row.model() == one.model() && row.valid_from == one.valid_from);
    let together = own.rows().iter().filter(same).chain(rows.rows()).cloned().collect();
    Catalogue::from_rows(together).with_context(|| format!("{name} cannot be used beside what this program knows"))?;
    if task.check {
        say(&format!("{name} can be used: {} rows.", rows.rows().len()));
        return Ok(());
    }
    let pg = migrate::connect(common).await?;
    migrate::check(&pg).await?;
    let added = match engine::load_catalogue(&pg, &rows, engine::Withdrawn::Returns).await {
        // The row that contradicts one that is there is named by the cause.
        Err(engine::Error::Internal(cause)) => anyhow::bail!("{name} was not loaded: {cause}"),
        other => other?,
    };
    say(&format!("{added} of {} rows are new. Processes that run see them within seconds.", rows.rows().len()));
    if added > 0 {
        say("A model is bought from once a setting like PRODUCT_CLIP_MODELS names it.");
    }
    Ok(())
}

fn read(file: &std::path::Path) -> std::io::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// The next start of the program would write its own row again, over this one.
fn is_changed(own: &Catalogue, row: &ModelRow) -> bool {
    own.rows().iter().any(|one| one.model() == row.model() && one.valid_from == row.valid_from && one != row)
}
