//! The published example does what it says, on a database that knows nothing but the queue's own tables.

use sqlx::PgPool;

use crate::store;

#[path = "../../examples/signup.rs"]
#[allow(dead_code, reason = "its main is for people")]
mod signup;

#[sqlx::test(migrations = false)]
async fn a_sign_up_runs_from_its_transaction_to_a_clean_stop(pg: PgPool) {
    let redis_url = std::env::var("REDIS_URL").unwrap();
    signup::run(pg.clone(), &redis_url).await.unwrap();
    let letter = store::only_of_kind(&pg, "welcome").await;
    let history = store::history(&pg, letter).await;
    assert_eq!(history, ["running", "retrying", "running", "parked", "running", "succeeded"]);
    assert_eq!(store::count(&pg, "running").await, 0);
    // Twice is as good as once, tables included.
    signup::run(pg.clone(), &redis_url).await.unwrap();
}
