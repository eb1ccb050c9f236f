-- One row per evaluation, window before it (180 and 365 days; 0 is as_of, with all before) and
-- set-up of the cohort: one that
-- began in the window and, by what was known then, was asked for, is a service of the catalog or
-- had been deployed, and was not archived before it was. Core legs that its sources cannot show
-- are not waited for. core_at: when all core legs that could be seen were there.
-- key: evaluated_at, window_days, setup_id
-- not null: start_at, start_worked_us
-- references: setup_id -> service_setup.setup_id
with reached as (
    select setup_id,
        min(case when leg = 'start' then worked_us end) as start_worked_us,
        min(case when leg = 'repository' then reached_at end) as repository_at,
        min(case when leg = 'run' then reached_at end) as run_at,
        min(case when leg = 'pipeline' then reached_at end) as pipeline_at,
        min(case when leg = 'deployment' then reached_at end) as deployment_at,
        min(case when leg = 'attempt' then reached_at end) as attempt_at
    from setup_leg
    group by setup_id
),
moment as (
    select e.evaluated_at, w.window_days
    from input.evaluation as e
    cross join (select unnest([180, 365]) as window_days) as w
    union all
    select as_of, 0 from input.clock
),
known as (
    select e.evaluated_at, e.window_days, s.setup_id, s.service_id, s.start_at, s.start_by,
        r.start_worked_us, s.outcome, s.ended_at,
        s.requested_at < e.evaluated_at and s.start_by <> 'repository' as is_requested,
        r.repository_at, r.pipeline_at, r.deployment_at,
        s.is_slice and r.repository_at is null as is_without_begin,
        coalesce(
            o.first_run_at < e.evaluated_at
                and not coalesce(
                    r.deployment_at < e.evaluated_at
                        and (r.run_at is null or r.run_at > r.deployment_at), false),
            false) as shows_pipeline,
        coalesce(o.first_attempt_at < e.evaluated_at, false) as shows_deployment,
        coalesce(s.start_at < o.coverage_from, false) as is_before_records
    from service_setup as s
    join reached as r on r.setup_id = s.setup_id
    cross join moment as e
    left join setup_source as o on o.connection = s.connection
    where s.exclusion is null
        and s.start_at < e.evaluated_at
        and (e.window_days = 0
            or s.start_at >= e.evaluated_at - to_days(cast(e.window_days as integer)))
        and (s.is_catalogued or s.requested_at < e.evaluated_at
            or r.attempt_at < e.evaluated_at)
        -- Archived at a moment that is not known: only what never was deployed is left out.
        and not coalesce(
            s.archived_at < e.evaluated_at
                and (r.deployment_at is null
                    or (s.archived_at > s.repository_at and r.deployment_at >= s.archived_at)),
            false)
)
select * exclude (is_without_begin, repository_at, pipeline_at, deployment_at),
    case
        when (is_without_begin or repository_at < evaluated_at)
            and (not shows_pipeline or pipeline_at < evaluated_at)
            and (not shows_deployment or deployment_at < evaluated_at)
        then greatest(start_at, repository_at,
            case when shows_pipeline then pipeline_at end,
            case when shows_deployment then deployment_at end)
    end as core_at
from known
