-- What is made of a clip: more codecs, HLS, a lighter poster, a strip of pictures; and every object that is stored.

alter table generations
    add column format   text not null default 'mp4',
    add column hls      boolean not null default false,
    add column branding boolean not null default false,
    add constraint generations_format check (format in ('mp4', 'webm'));

alter table renditions
    add column codec text not null default 'h264',
    drop constraint renditions_pkey,
    add constraint renditions_pkey primary key (video_id, codec, resolution),
    add constraint renditions_codec check (codec in ('h264', 'av1', 'vp9'));
alter table renditions alter column codec drop default;

alter table videos
    -- Since when nothing points to it; none while it is published.
    add column unpublished_at  timestamptz,
    add column poster_webp_key text,
    add column hls_key         text,
    add column strip_key       text,
    add column strip_width     integer,
    add column strip_height    integer,
    add constraint videos_strip check ((strip_key is null) = (strip_width is null) and (strip_key is null) = (strip_height is null));

update videos v set unpublished_at = now() where not exists (select 1 from products p where p.video_id = v.id);

-- Every object of a video in the store: what there is, what it weighs and since when is a question to the database.
-- An original is there before its video is.
create table video_objects (
    object_key   text primary key,
    video_id     uuid not null,
    part         text not null,
    content_type text not null,
    bytes        bigint not null,
    sha256       text not null,
    stored_at    timestamptz not null default now(),
    -- Retention took it away.
    removed_at   timestamptz,
    constraint video_objects_part check (part in ('original', 'rendition', 'hls', 'poster')),
    constraint video_objects_bytes check (bytes >= 0)
);
create index video_objects_video on video_objects (video_id);

-- What was stored before: the sizes of originals and posters were not kept.
insert into video_objects (object_key, video_id, part, content_type, bytes, sha256, stored_at)
    select r.object_key, r.video_id, 'rendition', r.content_type, r.bytes, r.sha256, v.published_at
    from renditions r join videos v on v.id = r.video_id
    union all
    select v.poster_key, v.id, 'poster', 'image/jpeg', 0, '', v.published_at from videos v
    union all
    select 'videos/' || g.video_id || '/original/video.mp4', g.video_id, 'original', 'video/mp4', 0, '', s.finished_at
    from generations g join generation_stages s on s.generation_id = g.id
    where s.stage = 'clip' and s.state = 'done' and g.clip_video_id is null;
