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

/// The same for the calls of new clicks, whose money [`crate::limits::Day`] counts. All of one day.
pub(crate) async fn hold_all(
    conn: &mut PgConnection,
    calls: &[crate::calls::NewCall],
    day: NaiveDate,
) -> Result<(), Error> {
    Ok(store::insert_holds(conn, calls, day).await?)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::{
        prelude::*,
        strategy::ValueTree as _,
        test_runner::{Config, TestRunner},
    };
    use sqlx::PgPool;

    use super::*;

    /// Calls a sequence plays with.
    const CALLS: usize = 4;

    #[derive(Debug, Clone)]
    enum Step {
        Hold(usize, i64),
        Settle(usize, i64, bool),
        Void(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let amount = 0..2_000_000_i64;
        let step = prop_oneof![
            (0..CALLS, 1..2_000_000_i64).prop_map(|(call, held)| Step::Hold(call, held)),
            (0..CALLS, amount, any::<bool>()).prop_map(|(call, paid, assumed)| Step::Settle(call, paid, assumed)),
            (0..CALLS).prop_map(Step::Void),
        ];
        proptest::collection::vec(step, 1..24)
    }

    /// What a call's money should be: held, then paid or given back, once.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Money {
        None,
        Held(i64),
        Closed(i64),
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn counters_follow_the_ledger_whatever_happens_in_whatever_order(pg: PgPool) {
        let mut runner = TestRunner::new(Config { cases: 40, ..Config::default() });
        for _ in 0..runner.config().cases {
            let steps = steps().new_tree(&mut runner).unwrap().current();
            let mut tx = pg.begin().await.unwrap();
            let (generation, calls) = store::plan_for_test(&mut tx, CALLS).await.unwrap();
            let mut expected = [Money::None; CALLS];
            for step in &steps {
                play(&mut tx, generation, &calls, &mut expected, step).await;
                let held: i64 =
                    expected.iter().map(|money| if let Money::Held(held) = money { *held } else { 0 }).sum();
                let paid: i64 =
                    expected.iter().map(|money| if let Money::Closed(paid) = money { *paid } else { 0 }).sum();
                let sums = store::sums_for_test(&mut tx).await.unwrap();
                assert_eq!(sums, [held, paid, held, paid], "after {step:?} of {steps:?}");
            }
            tx.rollback().await.unwrap();
        }
    }

    async fn play(
        conn: &mut PgConnection,
        generation: GenerationId,
        calls: &[CallId],
        expected: &mut [Money; CALLS],
        step: &Step,
    ) {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let later = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        match *step {
            // The second hold of a call is refused by the table; nothing here ever writes one.
            Step::Hold(at, _) if expected[at] != Money::None => {}
            Step::Hold(at, held) => {
                hold(conn, calls[at], generation, MicroUsd::new(held), day).await.unwrap();
                expected[at] = Money::Held(held);
            }
            Step::Settle(at, paid, assumed) => {
                let certainty = if assumed { Certainty::Assumed } else { Certainty::Known };
                settle(conn, calls[at], MicroUsd::new(paid), certainty, later).await.unwrap();
                if let Money::Held(_) = expected[at] {
                    expected[at] = Money::Closed(paid);
                }
            }
            Step::Void(at) => {
                void(conn, calls[at], later).await.unwrap();
                if let Money::Held(_) = expected[at] {
                    expected[at] = Money::Closed(0);
                }
            }
        }
    }
}
