-- What looking at a provider's clip found when it was stored: what is made of the same bytes later need not look again.

alter table video_objects
    -- `media::KeptInfo`. None for clips that were stored before it was kept: they are looked at again.
    add column clip_info jsonb,
    add constraint video_objects_clip_info check (clip_info is null or part = 'original');
