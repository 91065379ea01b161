//! The catalogue of models as the database keeps it: rows of files (the program's own, and those an operator loads), prices and
//! retirements that people added. Every process reads it anew when it changed; history is never edited.

mod change;
pub(crate) mod store;
mod view;

use std::{
    collections::{HashMap, HashSet},
    sync::PoisonError,
    time::Duration,
};

use chrono::NaiveDate;
use providers::{Catalogue, ModelRef, catalogue::ModelRow};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::{Engine, Error};

/// A change made by another process is seen after this long at most.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// How far the catalogue was read: the newest row, the newest retirement and the newest withdrawal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) row: i64,
    pub(crate) retirement: i64,
    pub(crate) withdrawal: i64,
}

/// Writes what a file says and the database does not know yet; answers how many rows that were. Nothing is written when
/// the rows contradict each other or those that are there.
///
/// # Errors
/// [`Error::Unavailable`] without the database; [`Error::Internal`] with the row that contradicts, or when a newer program
/// has written rows this one does not understand.
pub async fn load_catalogue(pg: &PgPool, file: &Catalogue) -> Result<u32, Error> {
    let mut tx = pg.begin().await?;
    store::lock(&mut tx).await?;
    let mut added = 0;
    for row in file.rows() {
        let spec = serde_json::to_value(row).map_err(Error::internal)?;
        added += u32::from(store::insert_of_file(&mut tx, &row.model(), row.valid_from, &spec).await?);
    }
    // What no process could read must not be there for the next start.
    read(&mut tx).await?;
    tx.commit().await?;
    if added > 0 {
        tracing::info!(rows = added, "{added} rows of the catalogue are new");
    }
    Ok(added)
}

/// The catalogue as the database has it, with days in UTC.
///
/// # Errors
/// Those of [`load_catalogue`].
pub async fn read_catalogue(pg: &PgPool) -> Result<Catalogue, Error> {
    read(&mut *pg.acquire().await?).await
}

async fn read(conn: &mut PgConnection) -> Result<Catalogue, Error> {
    let rows = store::rows(conn).await?;
    let retirements = store::retirements(conn).await?;
    let mut read = Vec::with_capacity(rows.len());
    for spec in rows {
        read.push(serde_json::from_value::<ModelRow>(spec).map_err(Error::internal)?);
    }
    Catalogue::from_rows(combine(read, &retirements)).map_err(Error::internal)
}

impl Engine {
    /// Reads the catalogue again when it has changed.
    ///
    /// # Errors
    /// Those of [`load_catalogue`]; the catalogue stays what it was.
    pub async fn refresh_catalogue(&self) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        let mark = store::mark(&mut conn).await?;
        if *self.0.catalogue_mark.lock().unwrap_or_else(PoisonError::into_inner) == mark {
            return Ok(());
        }
        let catalogue = read(&mut conn).await?.in_zone(self.settings().zone);
        drop(conn);
        self.makers().shared_catalogue().replace(catalogue);
        *self.0.catalogue_mark.lock().unwrap_or_else(PoisonError::into_inner) = mark;
        Ok(())
    }

    /// Follows changes of other processes until told to stop.
    pub async fn follow_catalogue(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(REFRESH_EVERY)).await.is_some() {
            if let Err(error) = self.refresh_catalogue().await {
                tracing::warn!(%error, "the catalogue could not be read again: {error}");
            }
        }
    }
}

/// The rows that count: of one model and day the first given; with what people said of retirement in place of the rows'
/// own word.
fn combine(rows: Vec<ModelRow>, retirements: &HashMap<ModelRef, Option<NaiveDate>>) -> Vec<ModelRow> {
    let mut seen = HashSet::new();
    rows.into_iter()
        .filter(|row| seen.insert((row.model(), row.valid_from)))
        .filter_map(|mut row| {
            if let Some(retires_on) = retirements.get(&row.model()) {
                row.retires_on = *retires_on;
            }
            // A price that would begin after the end never does.
            row.retires_on.is_none_or(|day| day > row.valid_from).then_some(row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_row_of_a_day_counts_and_people_decide_about_retirement() {
        let file = Catalogue::embedded().unwrap();
        let first = file.rows().first().unwrap().clone();
        let newer = ModelRow { price_version: "corrected".to_owned(), ..first.clone() };
        let later = ModelRow { valid_from: day("2030-01-01"), ..first.clone() };
        let rows = || vec![newer.clone(), first.clone(), later.clone()];
        let kept = combine(rows(), &HashMap::new());
        assert_eq!(kept.iter().map(|row| row.price_version.as_str()).collect::<Vec<_>>()[0], "corrected");
        assert_eq!(kept.len(), 2);
        let retired = HashMap::from([(first.model(), Some(day("2029-01-01")))]);
        let kept = combine(rows(), &retired);
        assert_eq!(kept.len(), 1, "a price that begins after the end");
        assert_eq!(kept[0].retires_on, Some(day("2029-01-01")));
        let taken_back = HashMap::from([(first.model(), None)]);
        assert!(combine(rows(), &taken_back).iter().all(|row| row.retires_on.is_none()));
    }
}
