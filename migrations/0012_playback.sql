-- How often each video is played and how well that goes, added up by day: what players tell, without who told it.

create table playback_days (
    video_id           uuid not null,
    -- In the shop's zone.
    day                date not null,
    starts             bigint not null default 0,
    completes          bigint not null default 0,
    stalls             bigint not null default 0,
    first_frame_ms_sum bigint not null default 0,
    -- How many first frames came within each of the bounds of app/domain/src/playback.rs; the last group took longer.
    first_frames       bigint[] not null,
    constraint playback_days_pkey primary key (video_id, day),
    constraint playback_days_video foreign key (video_id) references videos (id),
    constraint playback_days_groups check (cardinality(first_frames) = 12),
    constraint playback_days_never_negative check (starts >= 0 and completes >= 0 and stalls >= 0 and first_frame_ms_sum >= 0)
);
create index playback_days_day on playback_days (day);
