-- What looking at a provider's clip found when it was stored: whoever encodes it need not look again.

alter table video_objects
    -- `media::ClipInfo`. None for clips that were stored before it was kept: they are looked at again.
    add column clip_info jsonb,
    add constraint video_objects_clip_info check (clip_info is null or part = 'original');
