//! What must be true of the database. Each rule is a question for whatever breaks it.

use sqlx::PgConnection;

/// Rules that hold at any moment, each with the question whose answers break it.
///
/// `job_events` is written by the statement that moves the job, in its transaction: its order per job is the order of the
/// moves. From its 200th claim on a job only logs its end, so steps are compared up to there.
const ALWAYS: [(&str, &str); 8] = [
    (
        "a finished job is never opened again",
        "select job_id || ' went from ' || from_state || ' to ' || to_state from job_events
         where from_state in ('succeeded', 'failed', 'cancelled')",
    ),
    (
        "each move of a job begins where the one before it ended",
        "select job_id || ' went to ' || before || ', then from ' || from_state || ' to ' || to_state
         from (select *, coalesce(lag(to_state) over job, 'queued') as before, row_number() over job as number
               from job_events window job as (partition by job_id order by id)) steps
         where before <> from_state and number < 400",
    ),
    (
        "each job is where its last move took it",
        "select j.id || ' is ' || j.state || ' in epoch ' || j.lease_epoch || ', its log says ' || coalesce(last.to_state, '-')
         from jobs j left join lateral
             (select to_state, lease_epoch from job_events where job_id = j.id order by id desc limit 1) last on true
         where (j.state, j.lease_epoch) is distinct from (coalesce(last.to_state, 'queued'), coalesce(last.lease_epoch, 0))
             and (j.finished_at is not null or j.lease_epoch <= 200)",
    ),
    (
        "epochs only grow, one ends before the next begins, and whoever starts a run ends it",
        "select job_id || ' went from ' || from_state || ' in epoch ' || epoch_before || ' to ' || to_state || ' in epoch '
             || lease_epoch
         from (select *, coalesce(lag(lease_epoch) over job, 0) as epoch_before, lag(at) over job as at_before,
                   row_number() over job as number
               from job_events window job as (partition by job_id order by id)) steps
         where number < 400 and (
             (to_state = 'running' and lease_epoch <= epoch_before)
             or (to_state <> 'running' and lease_epoch <> epoch_before)
             or at < at_before)",
    ),
    (
        "a stage that was paid is done once, and so is the end",
        "select generation_id || ' has ' || count(*) || ' times ' || kind || ' ' || coalesce(stage, '')
         from generation_events
         where kind in ('completed', 'failed', 'cancelled') or (kind = 'stage_done' and stage in ('stills', 'clip'))
         group by generation_id, kind, stage having count(*) > 1",
    ),
    (
        "a clip is bought again only after one that ended without a charge",
        "select c.generation_id || ' bought clip ' || c.ordinal || ' after one that was ' || before.state
         from calls c join calls before
             on (before.generation_id, before.slot, before.ordinal) = (c.generation_id, c.slot, c.ordinal - 1)
         where c.slot = 'clip' and not (before.state = 'failed' and coalesce(before.cost_micro_usd, 0) = 0)",
    ),
    (
        "of the retries of a generation one at most runs or gave a video",
        "select retry_of || ' has ' || count(*) from generations
         where retry_of is not null and state not in ('failed', 'cancelled') group by retry_of having count(*) > 1",
    ),
    (
        "a retry buys no stills where there were both, and no clip where there was one",
        "select g.id || ' bought ' || c.slot || ' after ' || before.id || ', ' || before.failure_code
         from generations g join generations before on before.id = g.retry_of join calls c on c.generation_id = g.id
         where case c.slot
             when 'clip' then before.failure_code <> 'clip_corrupt' and (before.clip_video_id is not null or exists
                 (select from calls paid where paid.generation_id = before.id and paid.slot = 'clip'
                      and paid.state = 'done' and paid.finished_at < g.created_at))
             else 2 = (select count(*) from stills s where s.generation_id = before.id and s.created_at < g.created_at)
             end",
    ),
];

/// What must be true once nothing is under way.
const SETTLED: [(&str, &str); 7] = [
    ("every generation has ended", "select id || ' is ' || state from generations where finished_at is null"),
    ("no job is live", "select id || ' ' || kind || ' is ' || state from jobs where finished_at is null"),
    (
        "who is completed has a video, who is not has none",
        "select g.id || ' is ' || g.state from generations g left join videos v on v.generation_id = g.id
         where (g.state = 'completed') <> (v.id is not null)",
    ),
    (
        "a still is bought again only after one that is in doubt and counted as paid, or that failed",
        "select c.generation_id || ' bought ' || c.slot || ' ' || c.ordinal || ' after one that was ' || before.state
         from calls c join calls before
             on (before.generation_id, before.slot, before.ordinal) = (c.generation_id, c.slot, c.ordinal - 1)
         where c.slot <> 'clip' and not (before.state = 'failed' or (before.state = 'in_doubt' and exists
             (select from ledger_entries where call_id = before.id and kind = 'settle' and assumed)))",
    ),
    (
        "every hold is closed once",
        "select h.call_id || ' has ' || count(c.id) || ' ends' from ledger_entries h
         left join ledger_entries c on c.call_id = h.call_id and c.kind in ('settle', 'void')
         where h.kind = 'hold' group by h.call_id having count(c.id) <> 1",
    ),
    (
        "the days count what the ledger says",
        "select 'held ' || held || ', paid ' || paid || ' of ' || ledger
         from (select sum(held_micro_usd) as held, sum(paid_micro_usd) as paid from usage_days) days,
              (select sum(amount_micro_usd) as ledger from ledger_entries where kind in ('settle', 'adjust')) entries
         where held <> 0 or paid <> coalesce(ledger, 0)",
    ),
    (
        "whoever ended is told once, and who stopped it is not",
        "select g.id || ' is ' || g.state || ' with ' || count(n.id) || ' notices'
         from generations g left join notices n on n.generation_id = g.id
         group by g.id having count(n.id) <> case when g.state = 'cancelled' then 0 else 1 end",
    ),
];

/// Everything that breaks a rule, once everything has settled.
pub async fn broken(connection: &mut PgConnection) -> Vec<String> {
    let mut found = ask(connection, &ALWAYS).await;
    found.extend(ask(connection, &SETTLED).await);
    found
}

/// Everything that breaks a rule of those that hold at any moment.
pub async fn broken_meanwhile(connection: &mut PgConnection) -> Vec<String> {
    ask(connection, &ALWAYS).await
}

async fn ask(connection: &mut PgConnection, rules: &[(&str, &'static str)]) -> Vec<String> {
    let mut found = Vec::new();
    for (rule, question) in rules {
        let answers: Vec<String> = sqlx::query_scalar(*question).fetch_all(&mut *connection).await.unwrap();
        found.extend(answers.into_iter().map(|answer| format!("{rule}: {answer}")));
    }
    found
}
