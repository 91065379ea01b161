-- The durable queue (crate `jobs`). These rows are the truth and the outbox;
-- Redis only carries ids and may lose them at any moment.

create table jobs (
    id                  uuid        not null,
    kind                text        not null,
    group_name          text        not null,
    owner               uuid,
    priority            smallint    not null,
    state               text        not null default 'queued',
    run_at              timestamptz not null,
    attempt             smallint    not null default 0,
    max_attempts        smallint    not null,
    interruptions       smallint    not null default 0,
    run_timeout_ms      bigint      not null,
    payload             jsonb       not null,
    dedupe_key          text,
    trace_parent        text,
    step                text,
    progress            smallint    not null default 0,
    lease_epoch         bigint      not null default 0,
    lease_owner         uuid,
    lease_until         timestamptz,
    dispatched_at       timestamptz,
    wake_pending        boolean     not null default false,
    cancel_requested_at timestamptz,
    last_error_code     text,
    last_error          text,
    created_at          timestamptz not null default now(),
    first_started_at    timestamptz,
    deadline_at         timestamptz,
    finished_at         timestamptz,

    constraint jobs_pkey primary key (id),
    constraint jobs_kind_length check (length(kind) between 1 and 100),
    constraint jobs_group_length check (length(group_name) between 1 and 200),
    constraint jobs_priority_range check (priority between 0 and 1023),
    constraint jobs_state_known check
        (state in ('queued', 'running', 'parked', 'retrying', 'succeeded', 'failed', 'cancelled')),
    constraint jobs_attempt_range check (attempt between 0 and max_attempts),
    constraint jobs_max_attempts_range check (max_attempts between 1 and 100),
    constraint jobs_interruptions_range check (interruptions >= 0),
    constraint jobs_run_timeout_range check (run_timeout_ms between 1 and 2592000000),
    constraint jobs_progress_range check (progress between 0 and 100),
    constraint jobs_lease_epoch_range check (lease_epoch >= 0),
    constraint jobs_finished_when_final check
        ((finished_at is not null) = (state in ('succeeded', 'failed', 'cancelled'))),
    constraint jobs_leased_when_running check
        ((state = 'running') = (lease_owner is not null) and (state = 'running') = (lease_until is not null)),
    constraint jobs_started_before_running check
        (state <> 'running' or (first_started_at is not null and deadline_at is not null and attempt > 0)),
    constraint jobs_reason_when_failed check (state <> 'failed' or last_error_code is not null)
);

comment on table jobs is 'One claimable unit of work. Every transition is one guarded update; the row never leaves Postgres while it is live.';
comment on column jobs.group_name is 'Slots and rate are counted per group: provider/model, or local.';
comment on column jobs.priority is 'Lower runs first.';
comment on column jobs.attempt is 'The attempt that is running or ran last, from 1. Interruptions and parking do not use attempts up.';
comment on column jobs.interruptions is 'Times the job was taken from a worker that stopped renewing, since its last progress.';
comment on column jobs.run_timeout_ms is 'From the first start to the end, parked time included.';
comment on column jobs.dedupe_key is 'At most one live job carries a key.';
comment on column jobs.trace_parent is 'W3C trace context of the request that enqueued the job.';
comment on column jobs.step is 'Where the handler last said it was.';
comment on column jobs.lease_epoch is 'Grows by one with every claim and never falls: the fence of every later write.';
comment on column jobs.lease_owner is 'The worker process (random per start) that holds the lease.';
comment on column jobs.dispatched_at is 'When the reconciler last pushed the waiting id to Redis; null asks it to.';
comment on column jobs.wake_pending is 'A wake arrived while the job ran: parking makes it due at once.';
comment on column jobs.deadline_at is 'First start plus run_timeout_ms.';

-- Claims straight from Postgres, in the order of the queue.
create index jobs_waiting on jobs (group_name, priority, run_at, id)
    where state in ('queued', 'parked', 'retrying');
-- The reconciler: never pushed first, then the stale ones.
create index jobs_undispatched on jobs (dispatched_at nulls first)
    where state in ('queued', 'parked', 'retrying');
-- The sweeper: leases that ran out.
create index jobs_leases on jobs (lease_until)
    where state = 'running';
-- The sweeper: waiting jobs past their deadline.
create index jobs_deadlines on jobs (deadline_at)
    where state in ('queued', 'parked', 'retrying') and deadline_at is not null;
-- The sweeper: a cancel that was asked while the job ran and then parked.
create index jobs_cancelling on jobs (cancel_requested_at)
    where state in ('queued', 'parked', 'retrying') and cancel_requested_at is not null;
create unique index jobs_live_dedupe_key on jobs (dedupe_key)
    where dedupe_key is not null and state in ('queued', 'running', 'parked', 'retrying');

create table job_events (
    id          bigint      generated always as identity,
    job_id      uuid        not null,
    at          timestamptz not null default clock_timestamp(),
    from_state  text        not null,
    to_state    text        not null,
    attempt     smallint    not null,
    lease_epoch bigint      not null,
    worker      uuid,
    code        text,
    message     text,

    constraint job_events_pkey primary key (id),
    constraint job_events_job_fkey foreign key (job_id) references jobs (id) on delete cascade,
    constraint job_events_moved check (from_state <> to_state)
);

comment on table job_events is 'Append-only: every change of state of every job, at most 400 per job before its last one.';
comment on column job_events.code is 'Why, when the job left a worker without succeeding.';

create index job_events_job on job_events (job_id, id);

-- A trigger, because the log must hold whichever statement moved the job.
create function jobs_log_transitions() returns trigger language plpgsql as $$
begin
    insert into job_events (job_id, from_state, to_state, attempt, lease_epoch, worker, code, message)
    select after.id, before.state, after.state, after.attempt, after.lease_epoch,
           coalesce(after.lease_owner, before.lease_owner),
           case when after.state in ('queued', 'retrying', 'failed', 'cancelled') then after.last_error_code end,
           case when after.state in ('queued', 'retrying', 'failed', 'cancelled') then after.last_error end
    from after
    join before on before.id = after.id
    where before.state <> after.state
      and (after.finished_at is not null
           or (select count(*) from job_events e where e.job_id = after.id) < 400);
    return null;
end
$$;

create trigger jobs_log_transitions
    after update on jobs
    referencing old table as before new table as after
    for each statement execute function jobs_log_transitions();

create table queue_epoch (
    singleton boolean     not null default true,
    epoch     uuid        not null,
    set_at    timestamptz not null default now(),

    constraint queue_epoch_pkey primary key (singleton),
    constraint queue_epoch_single check (singleton)
);

comment on table queue_epoch is 'The value Redis must also hold. When it does not, Redis was lost and is rebuilt from the rows of jobs.';

insert into queue_epoch (epoch) values (gen_random_uuid());
