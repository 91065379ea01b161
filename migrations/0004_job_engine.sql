-- Ageing, pauses, schedules and retention of the queue (crate `jobs`).

alter table jobs add column label text;
alter table jobs add constraint jobs_label_length check (length(label) between 1 and 200);
comment on column jobs.label is 'What the caller may pause the job by, besides kind and group.';
comment on column jobs.priority is 'Lower runs first; a step is worth a second of waiting.';

-- Where a due job stands in the queue. The difference of two instants does not depend on the session's zone, the
-- instant's own parts would.
create function job_rank(run_at timestamptz, priority smallint) returns double precision
    language sql immutable parallel safe
    return extract(epoch from run_at - timestamptz '1970-01-01 00:00:00+00')::double precision + priority;

drop index jobs_waiting;
create index jobs_waiting on jobs (group_name, job_rank(run_at, priority), id)
    where state in ('queued', 'parked', 'retrying');
-- Retention.
create index jobs_finished on jobs (finished_at)
    where finished_at is not null;

create table job_pauses (
    scope     text        not null,
    name      text        not null,
    reason    text        not null,
    paused_by uuid,
    paused_at timestamptz not null default now(),

    constraint job_pauses_pkey primary key (scope, name),
    constraint job_pauses_scope_known check (scope in ('everything', 'kind', 'family', 'group', 'label')),
    constraint job_pauses_name_length check (length(name) <= 200),
    constraint job_pauses_everything_has_no_name check ((scope = 'everything') = (name = '')),
    constraint job_pauses_reason_length check (length(reason) <= 1000)
);

comment on table job_pauses is 'What does not start for now. Parked jobs go on: what they wait for is paid already.';
comment on column job_pauses.scope is 'family is what stands before the slash of a group.';

create function job_paused(kind text, group_name text, label text) returns boolean
    language sql stable parallel safe
    return exists (
        select from job_pauses
        where scope = 'everything'
           or (scope = 'kind' and name = kind)
           or (scope = 'group' and name = group_name)
           or (scope = 'family' and name = split_part(group_name, '/', 1) and group_name like '%/%')
           or (scope = 'label' and name = label)
    );

create table job_schedules (
    name      text        not null,
    last_tick timestamptz not null,

    constraint job_schedules_pkey primary key (name),
    constraint job_schedules_name_length check (length(name) between 1 and 100)
);

comment on table job_schedules is 'The last tick of every schedule that became a job: a tick is one job, whoever leads.';

-- Events are written by the trigger alone and go with their jobs: checking the reference for each of them was a fifth of
-- the work of a short job. A row that grew by a claim at a time bounds its events without counting them.
alter table job_events drop constraint job_events_job_fkey;

create or replace function jobs_log_transitions() returns trigger language plpgsql as $$
begin
    insert into job_events (job_id, from_state, to_state, attempt, lease_epoch, worker, code, message)
    select after.id, before.state, after.state, after.attempt, after.lease_epoch,
           coalesce(after.lease_owner, before.lease_owner),
           case when after.state in ('queued', 'retrying', 'failed', 'cancelled') then after.last_error_code end,
           case when after.state in ('queued', 'retrying', 'failed', 'cancelled') then after.last_error end
    from after
    join before on before.id = after.id
    where before.state <> after.state
      and (after.finished_at is not null or after.lease_epoch <= 200);
    return null;
end
$$;

create function jobs_forget_events() returns trigger language plpgsql as $$
begin
    delete from job_events using gone where job_events.job_id = gone.id;
    return null;
end
$$;

create trigger jobs_forget_events
    after delete on jobs
    referencing old table as gone
    for each statement execute function jobs_forget_events();

comment on table job_events is 'Append-only: every change of state of every job, until its two hundredth claim, and its last one.';
