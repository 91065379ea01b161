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

use chrono::{DateTime, NaiveDate, Utc};
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

/// What becomes of a row of a file that a person has withdrawn since it was first written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// It stays withdrawn: the program writes its own file at every start.
    Stays,
    /// It holds again: somebody loads the file on purpose.
    Returns,
}

/// Writes what a file says and the database does not know yet; answers how many rows that were. Nothing is written when
/// the rows contradict each other or those that are there.
///
/// # Errors
/// [`Error::Unavailable`] without the database; [`Error::Internal`] with the row that contradicts, or when a newer program
/// has written rows this one does not understand.
pub async fn load_catalogue(pg: &PgPool, file: &Catalogue, withdrawn: Withdrawn) -> Result<u32, Error> {
    let mut tx = pg.begin().await?;
    store::lock(&mut tx).await?;
    let mut added = 0;
    for row in file.rows() {
        let spec = serde_json::to_value(row).map_err(Error::internal)?;
        added += u32::from(store::insert_of_file(&mut tx, &row.model(), row.valid_from, &spec, withdrawn).await?);
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
    for (spec, added_at) in rows {
        read.push((serde_json::from_value::<ModelRow>(spec).map_err(Error::internal)?, added_at));
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

/// What somebody said of a model's retirement, and when: the day, or that it stays.
pub(crate) struct Retirement {
    pub(crate) retires_on: Option<NaiveDate>,
    pub(crate) set_at: DateTime<Utc>,
}

/// The rows that count, newest first: of one model and day the first given; with what people said of retirement in place of
/// the word of rows that were there before they said it. A price that would begin after the end never does; the first one
/// of a model stays, so that a model that retires on the day it begins is still known.
fn combine(rows: Vec<(ModelRow, DateTime<Utc>)>, retirements: &HashMap<ModelRef, Retirement>) -> Vec<ModelRow> {
    let mut seen = HashSet::new();
    let mut first: HashMap<ModelRef, NaiveDate> = HashMap::new();
    for (row, _) in &rows {
        let begins = first.entry(row.model()).or_insert(row.valid_from);
        *begins = row.valid_from.min(*begins);
    }
    rows.into_iter()
        .filter(|(row, _)| seen.insert((row.model(), row.valid_from)))
        .filter_map(|(mut row, added_at)| {
            let model = row.model();
            if let Some(said) = retirements.get(&model).filter(|said| said.set_at >= added_at) {
                row.retires_on = said.retires_on;
            }
            let is_first = first.get(&model) == Some(&row.valid_from);
            row.retires_on = row.retires_on.map(|day| if is_first { day.max(row.valid_from) } else { day });
            row.retires_on.is_none_or(|day| is_first || day > row.valid_from).then_some(row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::TimeDelta;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn the_newest_row_of_a_day_counts_and_people_decide_about_retirement() {
        let file = Catalogue::embedded().unwrap();
        let first = ModelRow { retires_on: None, ..file.rows().first().unwrap().clone() };
        let newer = ModelRow { price_version: "corrected".to_owned(), ..first.clone() };
        let later = ModelRow { valid_from: day("2030-01-01"), price_version: "later".to_owned(), ..first.clone() };
        let rows = || vec![(newer.clone(), at(3)), (first.clone(), at(1)), (later.clone(), at(1))];
        let kept = combine(rows(), &HashMap::new());
        assert_eq!(kept.iter().map(|row| row.price_version.as_str()).collect::<Vec<_>>()[0], "corrected");
        assert_eq!(kept.len(), 2);
        let said = |retires_on, minute| HashMap::from([(first.model(), Retirement { retires_on, set_at: at(minute) })]);
        let kept = combine(rows(), &said(Some(day("2029-01-01")), 5));
        assert_eq!(kept.len(), 1, "a price that begins after the end");
        assert_eq!(kept[0].retires_on, Some(day("2029-01-01")));
        assert!(combine(rows(), &said(None, 5)).iter().all(|row| row.retires_on.is_none()));
    }

    #[test]
    fn a_row_that_comes_later_brings_its_own_word() {
        let file = Catalogue::embedded().unwrap();
        let first = ModelRow { retires_on: None, ..file.rows().first().unwrap().clone() };
        let ends = ModelRow {
            valid_from: day("2030-01-01"),
            price_version: "later".to_owned(),
            retires_on: Some(day("2030-06-01")),
            ..first.clone()
        };
        let taken_back = HashMap::from([(first.model(), Retirement { retires_on: None, set_at: at(5) })]);
        let kept = combine(vec![(ends.clone(), at(9)), (first.clone(), at(1))], &taken_back);
        assert_eq!(kept[0].retires_on, Some(day("2030-06-01")), "it was not there when somebody said it stays");
        assert_eq!(combine(vec![(ends, at(2)), (first, at(1))], &taken_back)[0].retires_on, None);
    }

    #[test]
    fn a_model_that_retires_on_the_day_it_begins_is_still_known() {
        let file = Catalogue::embedded().unwrap();
        let first = ModelRow { retires_on: None, ..file.rows().first().unwrap().clone() };
        let said = |on| HashMap::from([(first.model(), Retirement { retires_on: Some(on), set_at: at(5) })]);
        for on in [first.valid_from, first.valid_from.pred_opt().unwrap()] {
            let kept = combine(vec![(first.clone(), at(1))], &said(on));
            assert_eq!(kept[0].retires_on, Some(first.valid_from));
            Catalogue::from_rows(kept).unwrap();
        }
    }
}
