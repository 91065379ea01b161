-- Notices that come by the clock: reports, alarms, models that retire.

alter table notices add column subject text;
alter table notices add column facts jsonb;
alter table notices add constraint notices_subject_length check (length(subject) between 1 and 200);
alter table notices drop constraint notices_kind;
alter table notices add constraint notices_kind check (
    (kind in ('video_ready', 'generation_failed') and generation_id is not null)
    or (kind = 'limit_near' and percent is not null and resets_at is not null)
    or (kind in ('daily_report', 'queue_stuck', 'many_failures', 'model_retires')
        and subject is not null and facts is not null));
create unique index notices_subject_once on notices (user_id, kind, subject) where subject is not null;
-- Retention.
create index notices_created on notices (created_at);

comment on column notices.subject is 'What it is about, like the day of a report: nobody is told the same twice.';
comment on column notices.facts is 'The figures of the sentence.';
