-- The REST API: tokens of shops' own code, answers that are given again, pictures that were uploaded to make a video from,
-- and webhooks that tell shops what changed.

create table api_tokens (
    id            uuid        not null,
    -- SHA-256 of the secret: who reads this table can use none of them.
    secret_sha256 bytea       not null,
    name          text        not null,
    -- The end of the secret, to tell tokens apart by.
    hint          text        not null,
    scopes        text[]      not null,
    -- In whose name it acts.
    owner_id      uuid        not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,

    constraint api_tokens_pkey primary key (id),
    constraint api_tokens_secret_unique unique (secret_sha256),
    constraint api_tokens_secret_length check (length(secret_sha256) = 32),
    constraint api_tokens_name_length check (char_length(name) between 1 and 100),
    constraint api_tokens_hint_length check (char_length(hint) = 4),
    constraint api_tokens_scopes_some check (cardinality(scopes) between 1 and 20),
    constraint api_tokens_owner foreign key (owner_id) references users (id)
);
create index api_tokens_created on api_tokens (created_at desc);

-- Requests by caller (a token or a person) and minute, added up over all processes: what the rate limit counts.
create table api_usage (
    caller   uuid        not null,
    minute   timestamptz not null,
    requests bigint      not null,

    constraint api_usage_pkey primary key (caller, minute),
    constraint api_usage_positive check (requests > 0)
);
-- Retention.
create index api_usage_minute on api_usage (minute);

-- Answers by `Idempotency-Key`: a request that is repeated gets the first one.
create table api_answers (
    caller         uuid        not null,
    key_sha256     bytea       not null,
    -- Of what was asked: the same key for something else is refused.
    request_sha256 bytea       not null,
    -- None while the first request is at work.
    status         smallint,
    location       text,
    body           text,
    claimed_at     timestamptz not null default now(),

    constraint api_answers_pkey primary key (caller, key_sha256),
    constraint api_answers_digests check (length(key_sha256) = 32 and length(request_sha256) = 32),
    constraint api_answers_whole check ((status is null) = (body is null)),
    constraint api_answers_status check (status between 200 and 299)
);
-- Retention.
create index api_answers_claimed on api_answers (claimed_at);

-- Stills that were uploaded instead of made: the API calls them try-on images.
create table tryon_images (
    id           uuid        not null,
    product_id   uuid        not null,
    object_key   text        not null,
    content_type text        not null,
    width        integer     not null,
    height       integer     not null,
    bytes        bigint      not null,
    sha256       text        not null,
    uploaded_by  uuid        not null,
    created_at   timestamptz not null default now(),

    constraint tryon_images_pkey primary key (id),
    constraint tryon_images_key_unique unique (object_key),
    constraint tryon_images_product foreign key (product_id) references products (id),
    constraint tryon_images_uploaded_by foreign key (uploaded_by) references users (id),
    constraint tryon_images_size check (width > 0 and height > 0 and bytes > 0)
);
create index tryon_images_product on tryon_images (product_id, created_at desc);

alter table generations add column tryon_image_id uuid;
comment on column generations.tryon_image_id is 'The uploaded still it is made from; none where its stills are made.';
alter table generations add constraint generations_tryon_image foreign key (tryon_image_id) references tryon_images (id);
alter table generations add constraint generations_tryon_image_recipe
    check (tryon_image_id is null or recipe = 'tryon_video');

-- A still was made by a call, or uploaded.
alter table stills alter column call_id drop not null;
alter table stills add column tryon_image_id uuid;
alter table stills add constraint stills_tryon_image foreign key (tryon_image_id) references tryon_images (id);
alter table stills add constraint stills_origin check ((call_id is null) <> (tryon_image_id is null));

-- Addresses of shops that are told what changed. Their signing secrets are derived from CALLBACK_SECRET, not kept.
create table webhook_endpoints (
    id          uuid        not null,
    url         text        not null,
    events      text[]      not null,
    description text        not null default '',
    created_by  uuid        not null,
    created_at  timestamptz not null default now(),
    -- Since when nothing is sent there: it answered 410.
    disabled_at timestamptz,

    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_url_length check (char_length(url) between 1 and 2000),
    constraint webhook_endpoints_events_some check (cardinality(events) between 1 and 20),
    constraint webhook_endpoints_description_length check (char_length(description) <= 200),
    constraint webhook_endpoints_created_by foreign key (created_by) references users (id)
);

-- What is told, written with what it tells of. The id is the `webhook-id`: the same however often it is sent.
create table webhook_deliveries (
    id            uuid        not null,
    endpoint_id   uuid        not null,
    event         text        not null,
    generation_id uuid,
    payload       jsonb       not null,
    state         text        not null default 'pending',
    tries         smallint    not null default 0,
    -- The answer to the last try; none when there was no answer.
    last_status   smallint,
    last_error    text,
    created_at    timestamptz not null default now(),
    last_tried_at timestamptz,
    next_try_at   timestamptz,
    finished_at   timestamptz,

    constraint webhook_deliveries_pkey primary key (id),
    constraint webhook_deliveries_endpoint foreign key (endpoint_id) references webhook_endpoints (id) on delete cascade,
    constraint webhook_deliveries_generation foreign key (generation_id) references generations (id),
    constraint webhook_deliveries_state check (state in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_finished check ((finished_at is not null) = (state <> 'pending')),
    constraint webhook_deliveries_tries check (tries >= 0),
    constraint webhook_deliveries_error_length check (char_length(last_error) <= 500)
);
create index webhook_deliveries_endpoint on webhook_deliveries (endpoint_id, created_at desc, id desc);
-- Retention.
create index webhook_deliveries_created on webhook_deliveries (created_at);

-- A video that somebody took down is not for everybody any more; one that another took the place of still is, because pages
-- that were opened before go on playing it.
alter table videos add column taken_down_at timestamptz;
