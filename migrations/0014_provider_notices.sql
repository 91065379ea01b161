-- Notices of what the providers list: another price, a model that is gone, a key that is refused.

alter table notices drop constraint notices_kind;
alter table notices add constraint notices_kind check (
    (kind in ('video_ready', 'generation_failed') and generation_id is not null)
    or (kind = 'limit_near' and percent is not null and resets_at is not null)
    or (kind in ('daily_report', 'queue_stuck', 'many_failures', 'model_retires', 'model_price', 'model_missing',
            'key_refused')
        and subject is not null and facts is not null));
