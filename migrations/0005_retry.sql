-- A retry by a person is a new generation that names the one before it and takes over what was paid for it already.
alter table generations add column retry_of uuid;
alter table generations add column clip_video_id uuid;
comment on column generations.retry_of is 'The generation it was retried from.';
comment on column generations.clip_video_id is
    'The asset whose stored clip it is made from, where the clip was taken over: its name in the object store, no row of videos.';
alter table generations add constraint generations_retry_of foreign key (retry_of) references generations (id);
alter table generations add constraint generations_retry_of_another check (retry_of <> id);
alter table generations add constraint generations_clip_taken_over check (clip_video_id is null or retry_of is not null);

-- Two people who retry at once get the same generation; once it has ended without a video, there may be another.
create unique index generations_one_retry on generations (retry_of)
    where retry_of is not null and state not in ('failed', 'cancelled');
create index generations_retries on generations (retry_of, created_at desc) where retry_of is not null;
create index generations_clip_video on generations (clip_video_id) where clip_video_id is not null;
-- Whether a call was bought in vain depends on who shows its still.
create index stills_call on stills (call_id);
