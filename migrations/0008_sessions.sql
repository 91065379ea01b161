-- Sessions of people who are signed in. Redis holds copies for a minute; this is what a sign-in outlives Redis by.

create table sessions (
    -- SHA-256 of the id in the cookie: who reads this table cannot sign in with it.
    id_sha256  bytea       not null,
    data       jsonb       not null,
    expires_at timestamptz not null,

    constraint sessions_pkey primary key (id_sha256),
    constraint sessions_id_length check (length(id_sha256) = 32),
    constraint sessions_data_object check (jsonb_typeof(data) = 'object')
);
-- Retention.
create index sessions_expires on sessions (expires_at);
