-- Exports of videos, posters that people choose, how true the colours are, and rules of retention that people set.

-- A video in the shape of another place; asking for the same again is the same export.
create table exports (
    id           uuid primary key,
    video_id     uuid not null,
    shape        text not null,
    fit          text not null,
    focus_x      smallint not null,
    focus_y      smallint not null,
    state        text not null default 'queued',
    failure_code text,
    object_key   text,
    width        integer,
    height       integer,
    bytes        bigint,
    requested_by uuid not null,
    requested_at timestamptz not null default now(),
    finished_at  timestamptz,
    constraint exports_video foreign key (video_id) references videos (id),
    constraint exports_person foreign key (requested_by) references users (id),
    constraint exports_same unique (video_id, shape, fit, focus_x, focus_y),
    constraint exports_shape check (shape in ('1:1', '4:5', '9:16', '16:9')),
    constraint exports_fit check (fit in ('crop', 'blur')),
    constraint exports_focus check (focus_x between 0 and 100 and focus_y between 0 and 100),
    constraint exports_state check (state in ('queued', 'done', 'failed')),
    constraint exports_file check ((state = 'done') = (object_key is not null)
        and (object_key is null) = (width is null) and (object_key is null) = (height is null)
        and (object_key is null) = (bytes is null)),
    constraint exports_end check ((state = 'queued') = (finished_at is null)),
    constraint exports_failure check ((state = 'failed') = (failure_code is not null))
);

alter table video_objects
    -- Another poster took its place.
    add column replaced_at timestamptz,
    drop constraint video_objects_part,
    add constraint video_objects_part check (part in ('original', 'rendition', 'hls', 'poster', 'export'));

alter table videos
    -- The moment a person chose the poster from, and the one that is being made.
    add column poster_at_ms      integer,
    add column poster_wanted_ms  integer,
    -- Why the last one that was wanted is not there.
    add column poster_failure    text,
    -- How far the product's colour is from the nearest one of the clip: CIEDE2000 in hundredths.
    add column colour_distance   integer,
    add constraint videos_poster_at check (poster_at_ms >= 0 and poster_wanted_ms >= 0),
    add constraint videos_colour check (colour_distance >= 0);
alter table stills
    add column colour_distance integer,
    add constraint stills_colour check (colour_distance >= 0);

-- What people set; the newest row counts, and the settings where there is none. History is never edited.
create table retention_rules (
    id             bigint generated always as identity primary key,
    originals_days smallint not null,
    videos_days    smallint not null,
    posters_days   smallint not null,
    set_by         uuid not null,
    set_at         timestamptz not null default now(),
    constraint retention_rules_person foreign key (set_by) references users (id),
    constraint retention_rules_days check (originals_days between 0 and 3650 and videos_days between 0 and 3650
        and posters_days between 0 and 3650)
);
create function retention_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the rules of retention are append-only' using errcode = 'restrict_violation';
end $$;
create trigger retention_rules_append_only before update or delete on retention_rules
    for each row execute function retention_refuse_change();
