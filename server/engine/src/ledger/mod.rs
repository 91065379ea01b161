//! The ledger: append-only, one hold per call, closed by exactly one settle or void. What the day's limits have used
//! is kept in the same transactions.

mod store;

use chrono::NaiveDate;
use domain::{CallId, GenerationId, MicroUsd};
use sqlx::PgConnection;

use crate::Error;

/// Reserves money for a planned call. The day is the one whose limits the click counts against.
pub(crate) async fn hold(
    conn: &mut PgConnection,
    call: CallId,
    generation: GenerationId,
    amount: MicroUsd,
    day: NaiveDate,
) -> Result<(), Error> {
    store::insert_hold(conn, call, generation, amount, day).await?;
    store::count_hold(conn, day, amount).await?;
    Ok(())
}

/// How sure an amount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The provider said so.
    Known,
    /// The provider never answered; this is our best knowledge.
    Assumed,
}

/// Closes a hold with what was really paid. Doing it twice does nothing.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    call: CallId,
    amount: MicroUsd,
    certainty: Certainty,
    today: NaiveDate,
) -> Result<(), Error> {
    let assumed = certainty == Certainty::Assumed;
    if store::insert_close(conn, call, "settle", amount, assumed, today).await? {
        store::count_close(conn, call, amount).await?;
    }
    Ok(())
}

/// Gives a hold back. Doing it twice does nothing.
pub(crate) async fn void(conn: &mut PgConnection, call: CallId, today: NaiveDate) -> Result<(), Error> {
    if store::insert_close(conn, call, "void", MicroUsd::ZERO, false, today).await? {
        store::count_close(conn, call, MicroUsd::ZERO).await?;
    }
    Ok(())
}
