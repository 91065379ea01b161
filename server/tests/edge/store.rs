//! A database of its own for each house, and what tests read from it.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

/// A database of an earlier run is removed after so many seconds.
const KEPT_SECS: u64 = 3_600;

/// A database that belongs to one house.
#[derive(Debug, Clone)]
pub struct Database {
    pub url: String,
}

/// One row of what a product needs to be generated from.
pub struct Product {
    pub id: Uuid,
    pub slug: String,
    pub photo_key: String,
}

/// Where a generation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    pub state: String,
    pub job_state: String,
    /// States of the calls for stills, and of the call for the clip.
    pub still_calls: Vec<String>,
    pub clip_call: String,
    pub encode_percent: Option<i16>,
}

impl Database {
    /// A fresh, empty database on the server of `DATABASE_URL`.
    pub async fn create() -> Self {
        let server = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres where databases may be made");
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        sweep(&mut admin, now).await;
        let name = format!("edge_{now}_{}", Uuid::now_v7().simple());
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self { url: url.into() }
    }

    /// Closes it to everybody who is not in it yet, and ends whatever is, like a server that is away; or opens it again.
    pub async fn set_open(&self, is_open: bool) {
        let server = std::env::var("DATABASE_URL").unwrap();
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let url = url::Url::parse(&self.url).unwrap();
        let name = url.path().trim_start_matches('/');
        let close = format!("alter database {name} with allow_connections {is_open}");
        sqlx::query(AssertSqlSafe(close)).execute(&mut admin).await.unwrap();
        if !is_open {
            let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
            sqlx::query(end).bind(name).execute(&mut admin).await.unwrap();
        }
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// A number an expression of SQL gives.
    pub async fn number(&self, question: &'static str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&mut self.connect().await).await.unwrap()
    }

    /// What the ledger says was paid, in micro-USD.
    pub async fn paid(&self) -> i64 {
        self.number(
            "select coalesce(sum(amount_micro_usd), 0)::bigint from ledger_entries where kind in ('settle', 'adjust')",
        )
        .await
    }

    /// Holds that neither a settle nor a void closed.
    pub async fn open_holds(&self) -> i64 {
        self.number(
            "select count(*) from ledger_entries hold where kind = 'hold' and not exists
             (select from ledger_entries close where close.call_id = hold.call_id and close.kind in ('settle', 'void'))",
        )
        .await
    }

    /// Request ids of the calls of a provider that were paid.
    pub async fn paid_calls(&self, provider: &str, generation: Uuid) -> i64 {
        sqlx::query_scalar(
            "select count(*) from calls where provider = $1 and generation_id = $2 and cost_micro_usd > 0",
        )
        .bind(provider)
        .bind(generation)
        .fetch_one(&mut self.connect().await)
        .await
        .unwrap()
    }

    /// Columns of tables that hold a text somewhere.
    pub async fn places_of(&self, text: &str) -> Vec<String> {
        self.places_of_bytes(text.as_bytes()).await
    }

    /// Columns of tables that hold these bytes somewhere, whatever the column is of. Of bytes that are no text only columns of
    /// bytes are asked.
    pub async fn places_of_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let mut conn = self.connect().await;
        let columns: Vec<(String, String, bool)> = sqlx::query_as(
            "select c.table_name::text, c.column_name::text, c.data_type = 'bytea' from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
             where c.table_schema = 'public' and t.table_type = 'BASE TABLE' order by 1, 2",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let text = std::str::from_utf8(bytes).ok();
        let mut places = Vec::new();
        for (table, column, is_bytes) in columns {
            let expression = if is_bytes {
                format!("select exists (select from \"{table}\" where position($1 in \"{column}\") > 0)")
            } else {
                format!("select exists (select from \"{table}\" where position($1 in \"{column}\"::text) > 0)")
            };
            let question = sqlx::query_scalar::<sqlx::Postgres, bool>(AssertSqlSafe(expression));
            let found = match (is_bytes, text) {
                (true, _) => question.bind(bytes).fetch_one(&mut conn).await.unwrap(),
                (false, Some(text)) => question.bind(text).fetch_one(&mut conn).await.unwrap(),
                (false, None) => false,
            };
            if found {
                places.push(format!("{table}.{column}"));
            }
        }
        places
    }

    pub async fn insert_product(&self, name: &str) -> Product {
        let (id, photo) = (Uuid::now_v7(), Uuid::now_v7());
        let slug = format!("{name}-{}", id.simple());
        let photo_key = format!("products/{id}/photos/{photo}.png");
        let mut conn = self.connect().await;
        sqlx::query(
            "insert into products (id, slug, sku, name_ko, name_en, category, price_krw)
             values ($1, $2, $2, '캐멀 코트 ' || $3, 'Camel coat ' || $3, 'outer', 129000)",
        )
        .bind(id)
        .bind(&slug)
        .bind(name)
        .execute(&mut conn)
        .await
        .unwrap();
        sqlx::query(
            "insert into product_photos
                 (id, product_id, position, object_key, content_type, width, height, bytes, sha256)
             values ($1, $2, 0, $3, 'image/png', 600, 800, 1000, 'x')",
        )
        .bind(photo)
        .bind(id)
        .bind(&photo_key)
        .execute(&mut conn)
        .await
        .unwrap();
        Product { id, slug, photo_key }
    }
}

/// Where a generation is now.
pub async fn moment(conn: &mut PgConnection, generation: Uuid) -> Moment {
    let row = sqlx::query(
        "select g.state, g.encode_percent, j.state as job_state,
                array(select c.state from calls c
                      where c.generation_id = g.id and c.slot like 'still%' order by c.slot, c.ordinal) as still_calls,
                coalesce((select c.state from calls c
                          where c.generation_id = g.id and c.slot = 'clip' order by c.ordinal desc limit 1), '')
                    as clip_call
         from generations g join jobs j on j.id = g.job_id where g.id = $1",
    )
    .bind(generation)
    .fetch_one(conn)
    .await
    .unwrap();
    Moment {
        state: row.get("state"),
        job_state: row.get("job_state"),
        still_calls: row.get("still_calls"),
        clip_call: row.get("clip_call"),
        encode_percent: row.get("encode_percent"),
    }
}

/// Databases of runs that ended long ago.
async fn sweep(admin: &mut PgConnection, now: u64) {
    let names: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname ~ '^edge_[0-9]+_[0-9a-f]+$'")
            .fetch_all(&mut *admin)
            .await
            .unwrap();
    for name in names {
        let made: u64 = name.split('_').nth(1).and_then(|secs| secs.parse().ok()).unwrap_or(now);
        if now.saturating_sub(made) > KEPT_SECS {
            // Another run may be doing the same.
            _ = sqlx::query(AssertSqlSafe(format!("drop database if exists {name} with (force)")))
                .execute(&mut *admin)
                .await;
        }
    }
}
