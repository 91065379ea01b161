//! Signing in, and the ledger that nobody may change.

use domain::user::Email;
use engine::Error;
use sqlx::PgPool;

use crate::{
    shop::{PASSWORD, Shop},
    store,
};

const ADDRESS: &str = "admin@shop.example";

#[sqlx::test(migrations = "../../migrations")]
async fn only_the_right_password_signs_in_and_nobody_learns_who_exists(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let signed_in = shop.engine.sign_in(" Admin@Shop.example ", PASSWORD, "192.0.2.1").await.unwrap();
    assert_eq!((signed_in.person.id, signed_in.person.name.as_str()), (shop.person, "Mina"));

    let wrong = shop.engine.sign_in(ADDRESS, "wrong password", "192.0.2.1").await.unwrap_err();
    let unknown = shop.engine.sign_in("nobody@shop.example", PASSWORD, "192.0.2.1").await.unwrap_err();
    let no_address = shop.engine.sign_in("no address", PASSWORD, "192.0.2.1").await.unwrap_err();
    for error in [&wrong, &unknown, &no_address] {
        assert!(matches!(error, Error::WrongCredentials), "{error}");
        assert_eq!(error.to_string(), wrong.to_string());
    }
    let long = "x".repeat(100_000);
    assert!(matches!(shop.engine.sign_in(ADDRESS, &long, "192.0.2.1").await, Err(Error::WrongCredentials)));
}

async fn guess(shop: &Shop, address: &str, client: &str) -> Error {
    shop.engine.sign_in(address, "wrong password", client).await.unwrap_err()
}

#[sqlx::test(migrations = "../../migrations")]
async fn guessing_is_slowed_down_and_nobody_else_is(pg: PgPool) {
    const OFFICE: &str = "198.51.100.7";
    let shop = Shop::open(pg).await;
    for _ in 0..10 {
        assert!(matches!(guess(&shop, ADDRESS, OFFICE).await, Error::WrongCredentials));
    }
    let refused = shop.engine.sign_in(ADDRESS, PASSWORD, OFFICE).await.unwrap_err();
    let Error::TooManyTries { retry_after_secs } = refused else { panic!("{refused}") };
    assert!((1..=300).contains(&retry_after_secs), "{retry_after_secs}");
    // Not the same person elsewhere, and not a colleague behind the same address.
    shop.engine.sign_in(ADDRESS, PASSWORD, "192.0.2.99").await.unwrap();
    let colleague = Email::parse("second@shop.example").unwrap();
    shop.engine.create_user(&colleague, "Jun", PASSWORD).await.unwrap();
    shop.engine.sign_in(colleague.as_str(), PASSWORD, OFFICE).await.unwrap();

    // A client that tries one address after the other meets the higher bound.
    for number in 0..90 {
        let refused = guess(&shop, &format!("guess{number}@shop.example"), OFFICE).await;
        assert!(matches!(refused, Error::WrongCredentials), "{number}: {refused}");
    }
    let refused = shop.engine.sign_in(colleague.as_str(), PASSWORD, OFFICE).await.unwrap_err();
    assert!(matches!(refused, Error::TooManyTries { .. }), "{refused}");

    // What is over is forgotten, by everybody's next failure.
    assert_eq!(store::sign_in_keys(&shop.pg).await, 92);
    store::age_sign_in_tries(&shop.pg).await;
    assert!(matches!(guess(&shop, ADDRESS, OFFICE).await, Error::WrongCredentials));
    assert_eq!(store::sign_in_keys(&shop.pg).await, 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_failures_count(pg: PgPool) {
    let shop = Shop::open(pg).await;
    for _ in 0..3 {
        let everybody = (0..10).map(|_| shop.engine.sign_in(ADDRESS, PASSWORD, "192.0.2.1"));
        for signed_in in futures::future::join_all(everybody).await {
            signed_in.unwrap();
        }
    }
    assert_eq!(store::sign_in_keys(&shop.pg).await, 0);
    // A success forgives the failures of this person, not those of the client.
    for _ in 0..9 {
        guess(&shop, ADDRESS, "192.0.2.1").await;
    }
    shop.engine.sign_in(ADDRESS, PASSWORD, "192.0.2.1").await.unwrap();
    assert_eq!(store::sign_in_keys(&shop.pg).await, 1);
    assert!(matches!(guess(&shop, ADDRESS, "192.0.2.1").await, Error::WrongCredentials));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_password_ends_every_session(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let before = shop.engine.sign_in(ADDRESS, PASSWORD, "192.0.2.1").await.unwrap();
    assert!(shop.engine.person(before.person.id, before.auth_epoch).await.unwrap().is_some());
    let email = Email::parse(ADDRESS).unwrap();
    let short = shop.engine.create_user(&email, "Mina", "short").await.unwrap_err();
    assert!(matches!(&short, Error::Invalid(wrong) if wrong[0].field == "password"), "{short}");
    assert!(shop.engine.person(before.person.id, before.auth_epoch).await.unwrap().is_some());

    let same = shop.engine.create_user(&email, "Mina K.", "another good password").await.unwrap();
    assert_eq!(same, before.person.id);
    assert!(shop.engine.person(same, before.auth_epoch).await.unwrap().is_none());
    assert!(shop.engine.sign_in(ADDRESS, PASSWORD, "192.0.2.1").await.is_err());
    let after = shop.engine.sign_in(ADDRESS, "another good password", "192.0.2.1").await.unwrap();
    assert_eq!(after.person.name, "Mina K.");
    assert!(after.auth_epoch > before.auth_epoch);
    assert!(shop.engine.has_user(&email).await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_ledger_only_grows(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    let before = store::books(&shop.pg).await;
    for sql in [
        "update ledger_entries set amount_micro_usd = 1",
        "update ledger_entries set assumed = true",
        "delete from ledger_entries",
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day)
         select call_id, generation_id, 'hold', amount_micro_usd, day from ledger_entries",
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day)
         select call_id, generation_id, 'settle', -1, day from ledger_entries",
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day)
         select call_id, generation_id, 'void', 1, day from ledger_entries",
    ] {
        let refused = store::tamper(&shop.pg, sql).await.unwrap_err();
        assert!(refused.as_database_error().is_some(), "{sql}: {refused}");
    }
    assert_eq!(store::books(&shop.pg).await, before);
    assert_eq!(shop.view(id).await.held.micros(), before.held);
    shop.engine.cancel(shop.person, id).await.unwrap();
    let twice = "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day)
                 select call_id, generation_id, 'settle', 5, day from ledger_entries where kind = 'void'";
    assert!(store::tamper(&shop.pg, twice).await.is_err(), "a hold is closed once");
    shop.assert_books_closed().await;
}
