//! What tests of the API's use-cases read and change behind the engine's back.

use domain::{ProductId, TokenId, TryonImageId, VideoId};
use sqlx::{PgConnection, PgPool};

/// As if the day had passed for which answers are kept.
pub async fn forget_answers(pg: &PgPool) {
    sqlx::query("delete from api_answers").execute(pg).await.unwrap();
}

/// As if whoever holds a key had not been heard of for so many seconds more.
pub async fn age_claims(pg: &PgPool, seconds: i32) {
    sqlx::query("update api_answers set claimed_at = claimed_at - make_interval(secs => $1)")
        .bind(f64::from(seconds))
        .execute(pg)
        .await
        .unwrap();
}

/// Holds a product as whoever changes what it shows does.
pub async fn hold_product(conn: &mut PgConnection, product: ProductId) {
    sqlx::query("select id from products where id = $1 for no key update")
        .bind(product.uuid())
        .fetch_one(conn)
        .await
        .unwrap();
}

/// Changes a video without changing anything of it; gives up where somebody else holds the row.
pub async fn touch_video(conn: &mut PgConnection, video: VideoId) -> Result<(), sqlx::Error> {
    sqlx::query("set local lock_timeout = '3s'").execute(&mut *conn).await?;
    sqlx::query("update videos set duration_ms = duration_ms where id = $1").bind(video.uuid()).execute(conn).await?;
    Ok(())
}

/// Whether a statement about a table waits for a row of this database.
pub async fn somebody_waits_for(pg: &PgPool, table: &str) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and position($1 in query) > 0)",
    )
    .bind(table)
    .fetch_one(pg)
    .await
    .unwrap()
}

/// Where a try-on image is stored.
pub async fn tryon_image_key(pg: &PgPool, image: TryonImageId) -> String {
    sqlx::query_scalar("select object_key from tryon_images where id = $1")
        .bind(image.uuid())
        .fetch_one(pg)
        .await
        .unwrap()
}

/// As if every try-on image had been uploaded so many days earlier.
pub async fn age_tryon_images(pg: &PgPool, days: i32) {
    sqlx::query("update tryon_images set created_at = created_at - make_interval(days => $1)")
        .bind(days)
        .execute(pg)
        .await
        .unwrap();
}

/// Tokens like one, made after it and revoked.
pub async fn insert_revoked_tokens(pg: &PgPool, like: TokenId, count: i32) {
    sqlx::query(
        "insert into api_tokens (id, secret_sha256, name, hint, scopes, owner_id, created_at, revoked_at)
         select gen_random_uuid(), sha256(convert_to(n::text, 'UTF8')), name, hint, scopes, owner_id,
             created_at + interval '1 microsecond', now()
         from api_tokens cross join generate_series(1, $2) as n where id = $1",
    )
    .bind(like.uuid())
    .bind(count)
    .execute(pg)
    .await
    .unwrap();
}
