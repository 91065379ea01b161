-- The product: people, catalogue, generations, money, videos.
-- Times are timestamptz, money is integer micro-USD, ids are UUIDv7 made by the application, constraints have names.

create table users (
    id            uuid primary key,
    name          text not null,
    email         text not null,
    password_hash text not null,
    -- Grows when every session of this person must end; sessions carry the value of their sign-in.
    auth_epoch    bigint not null default 0,
    created_at    timestamptz not null default now(),
    constraint users_email_unique unique (email),
    constraint users_email_lower check (email = lower(email)),
    constraint users_name_length check (char_length(name) between 1 and 100)
);

-- Tries to sign in, by address and by client, in windows of a fixed length.
create table sign_in_tries (
    key               text primary key,
    window_started_at timestamptz not null,
    tries             integer not null,
    constraint sign_in_tries_positive check (tries > 0)
);

create table products (
    id             uuid primary key,
    slug           text not null,
    sku            text not null,
    name_ko        text not null,
    name_en        text not null,
    description_ko text not null default '',
    description_en text not null default '',
    category       text not null,
    price_krw      bigint not null,
    -- The published video.
    video_id       uuid,
    created_at     timestamptz not null default now(),
    constraint products_slug_unique unique (slug),
    constraint products_sku_unique unique (sku),
    constraint products_slug_shape check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    constraint products_price_positive check (price_krw >= 0)
);

create table product_photos (
    id           uuid primary key,
    product_id   uuid not null,
    -- The first position is what stills are made from.
    position     smallint not null,
    object_key   text not null,
    content_type text not null,
    width        integer not null,
    height       integer not null,
    bytes        bigint not null,
    sha256       text not null,
    constraint product_photos_product foreign key (product_id) references products (id),
    constraint product_photos_position_unique unique (product_id, position),
    constraint product_photos_key_unique unique (object_key),
    constraint product_photos_size check (width > 0 and height > 0 and bytes > 0)
);

create sequence generation_versions;

create table generations (
    id                  uuid primary key,
    -- Grows with every change: the id of the server-sent event.
    version             bigint not null default nextval('generation_versions'),
    product_id          uuid not null,
    photo_id            uuid not null,
    requested_by        uuid not null,
    -- Names the click: the same key never makes a second generation.
    request_key         uuid not null,
    recipe              text not null,
    prompt_version      text not null,
    model_type          text not null,
    duration_seconds    smallint not null,
    resolution          text not null,
    fps                 smallint not null,
    state               text not null default 'queued',
    progress            smallint not null default 0,
    -- Measured percent of the encode stage.
    encode_percent      smallint,
    attempt             smallint not null default 1,
    max_attempts        smallint not null,
    next_try_at         timestamptz,
    failure_code        text,
    failure_stage       text,
    failure_detail      text,
    -- The job that carries it now.
    job_id              uuid not null,
    -- The asset it will become.
    video_id            uuid not null,
    -- The day, in the shop's zone, whose limits it counts against.
    day                 date not null,
    created_at          timestamptz not null default now(),
    finished_at         timestamptz,
    cancel_requested_at timestamptz,
    constraint generations_product foreign key (product_id) references products (id),
    constraint generations_photo foreign key (photo_id) references product_photos (id),
    constraint generations_requested_by foreign key (requested_by) references users (id),
    constraint generations_request_key_unique unique (requested_by, request_key),
    constraint generations_video_unique unique (video_id),
    constraint generations_recipe check (recipe in ('product_video')),
    constraint generations_model_type check (model_type in ('female', 'male')),
    constraint generations_duration check (duration_seconds between 3 and 5),
    constraint generations_resolution check (resolution in ('720p', '1080p')),
    constraint generations_fps check (fps between 24 and 30),
    constraint generations_state check (state in ('queued', 'generating_images', 'awaiting_review', 'generating_video',
        'encoding', 'uploading', 'completed', 'failed', 'cancelled')),
    constraint generations_progress check (progress between 0 and 100),
    constraint generations_finished check ((finished_at is not null) = (state in ('completed', 'failed', 'cancelled'))),
    constraint generations_failure check ((failure_code is not null) = (state in ('failed', 'cancelled'))),
    constraint generations_completed check (state <> 'completed' or progress = 100)
);
create index generations_product_created on generations (product_id, created_at desc);
create index generations_created on generations (created_at desc);
create index generations_live on generations (version) where finished_at is null;
create index generations_version on generations (version);

create function generations_bump_version() returns trigger language plpgsql as $$
begin
    new.version := nextval('generation_versions');
    return new;
end
$$;
create trigger generations_version before update on generations
    for each row execute function generations_bump_version();

create table generation_stages (
    generation_id uuid not null,
    stage         text not null,
    state         text not null default 'waiting',
    started_at    timestamptz,
    finished_at   timestamptz,
    constraint generation_stages_pkey primary key (generation_id, stage),
    constraint generation_stages_generation foreign key (generation_id) references generations (id),
    constraint generation_stages_stage check (stage in ('stills', 'clip', 'encode', 'publish')),
    constraint generation_stages_state check (state in ('waiting', 'running', 'done', 'failed', 'skipped')),
    constraint generation_stages_finished check ((finished_at is not null) = (state in ('done', 'failed')))
);
create index generation_stages_done on generation_stages (stage, finished_at desc) where state = 'done';

create table generation_events (
    id               bigint generated always as identity primary key,
    generation_id    uuid not null,
    at               timestamptz not null default now(),
    kind             text not null,
    stage            text,
    actor_id         uuid,
    failure_code     text,
    amount_micro_usd bigint,
    detail           text,
    constraint generation_events_generation foreign key (generation_id) references generations (id),
    constraint generation_events_actor foreign key (actor_id) references users (id),
    constraint generation_events_detail_length check (char_length(detail) <= 1000)
);
create index generation_events_generation_id on generation_events (generation_id, id);

-- Paid requests: planned and held with the click, written down as an intent before they are sent.
create table calls (
    id                 uuid primary key,
    generation_id      uuid not null,
    stage              text not null,
    slot               text not null,
    -- 1 for the planned call, more for one made again by policy.
    ordinal            smallint not null default 1,
    provider           text not null,
    model              text not null,
    price_version      text not null,
    state              text not null default 'planned',
    estimate_micro_usd bigint not null,
    cost_micro_usd     bigint,
    -- The provider's name for it.
    request_id         text,
    status_url         text,
    response_url       text,
    cancel_url         text,
    intent_at          timestamptz,
    submitted_at       timestamptz,
    finished_at        timestamptz,
    failure_code       text,
    detail             text,
    created_at         timestamptz not null default now(),
    constraint calls_generation foreign key (generation_id) references generations (id),
    constraint calls_slot check (slot in ('still_start', 'still_end', 'clip')),
    constraint calls_slot_unique unique (generation_id, slot, ordinal),
    constraint calls_request_unique unique (provider, request_id),
    constraint calls_state check (state in ('planned', 'intent', 'submitted', 'done', 'failed', 'in_doubt', 'void')),
    constraint calls_submitted check (state <> 'submitted' or (request_id is not null and submitted_at is not null)),
    constraint calls_intent check (state in ('planned', 'void') or intent_at is not null),
    constraint calls_done check (state <> 'done' or cost_micro_usd is not null),
    constraint calls_estimate check (estimate_micro_usd > 0),
    constraint calls_detail_length check (char_length(detail) <= 1000)
);
create index calls_generation_id on calls (generation_id);

-- Append-only. A hold is closed by exactly one settle (with what was really paid) or one void.
create table ledger_entries (
    id               bigint generated always as identity primary key,
    call_id          uuid not null,
    generation_id    uuid not null,
    kind             text not null,
    amount_micro_usd bigint not null,
    -- True where the amount is our best knowledge because the provider never said: an in-doubt call.
    assumed          boolean not null default false,
    -- The day in the shop's zone.
    day              date not null,
    at               timestamptz not null default now(),
    constraint ledger_entries_call foreign key (call_id) references calls (id),
    constraint ledger_entries_generation foreign key (generation_id) references generations (id),
    constraint ledger_entries_kind check (kind in ('hold', 'settle', 'void', 'adjust')),
    constraint ledger_entries_amount check (kind = 'adjust' or amount_micro_usd >= 0),
    constraint ledger_entries_void check (kind <> 'void' or amount_micro_usd = 0)
);
create unique index ledger_entries_one_hold on ledger_entries (call_id) where kind = 'hold';
create unique index ledger_entries_one_close on ledger_entries (call_id) where kind in ('settle', 'void');
create index ledger_entries_generation_id on ledger_entries (generation_id);
create index ledger_entries_paid_day on ledger_entries (day) where kind in ('settle', 'adjust');

create function ledger_entries_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger ledger_entries_append_only before update or delete on ledger_entries
    for each row execute function ledger_entries_refuse_change();

-- What is held and paid of each day's limits, kept in the transactions that write the ledger.
create table usage_days (
    day             date primary key,
    generations     integer not null default 0,
    held_micro_usd  bigint not null default 0,
    paid_micro_usd  bigint not null default 0,
    warned_at       timestamptz,
    constraint usage_days_never_negative check (generations >= 0 and held_micro_usd >= 0)
);

create table stills (
    id            uuid primary key,
    generation_id uuid not null,
    frame         text not null,
    call_id       uuid not null,
    object_key    text not null,
    content_type  text not null,
    width         integer not null,
    height        integer not null,
    bytes         bigint not null,
    sha256        text not null,
    created_at    timestamptz not null default now(),
    constraint stills_generation foreign key (generation_id) references generations (id),
    constraint stills_call foreign key (call_id) references calls (id),
    constraint stills_frame check (frame in ('start', 'end')),
    constraint stills_frame_unique unique (generation_id, frame)
);

create table videos (
    id              uuid primary key,
    product_id      uuid not null,
    generation_id   uuid not null,
    duration_ms     integer not null,
    poster_key      text not null,
    poster_width    integer not null,
    poster_height   integer not null,
    published_at    timestamptz not null default now(),
    constraint videos_product foreign key (product_id) references products (id),
    constraint videos_generation foreign key (generation_id) references generations (id),
    constraint videos_generation_unique unique (generation_id),
    constraint videos_duration check (duration_ms > 0)
);
alter table products add constraint products_video foreign key (video_id) references videos (id);

create table renditions (
    video_id     uuid not null,
    resolution   text not null,
    object_key   text not null,
    content_type text not null,
    width        integer not null,
    height       integer not null,
    bytes        bigint not null,
    sha256       text not null,
    constraint renditions_pkey primary key (video_id, resolution),
    constraint renditions_video foreign key (video_id) references videos (id),
    constraint renditions_key_unique unique (object_key)
);

create table notices (
    id            uuid primary key,
    user_id       uuid not null,
    kind          text not null,
    generation_id uuid,
    percent       smallint,
    resets_at     timestamptz,
    created_at    timestamptz not null default now(),
    read_at       timestamptz,
    constraint notices_user foreign key (user_id) references users (id),
    constraint notices_generation foreign key (generation_id) references generations (id),
    constraint notices_kind check (
        (kind in ('video_ready', 'generation_failed') and generation_id is not null)
        or (kind = 'limit_near' and percent is not null and resets_at is not null))
);
create index notices_user_created on notices (user_id, created_at desc);
create unique index notices_generation_once on notices (user_id, generation_id) where generation_id is not null;

-- Webhooks as they came, once each. Nothing here is believed without its signature.
create table webhook_inbox (
    id          uuid primary key,
    provider    text not null,
    request_id  text not null,
    call_id     uuid,
    deliveries  integer not null default 1,
    body_sha256 text not null,
    received_at timestamptz not null default now(),
    constraint webhook_inbox_call foreign key (call_id) references calls (id),
    constraint webhook_inbox_once unique (provider, request_id)
);

create table audit_log (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default now(),
    actor_id   uuid,
    action     text not null,
    subject_id uuid,
    detail     jsonb not null default '{}',
    constraint audit_log_actor foreign key (actor_id) references users (id)
);
create index audit_log_at on audit_log (at desc);
