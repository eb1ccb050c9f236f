-- One row per evaluation, window and set-up of the cohort: how it stood then. ready: all legs were
-- there; open, cancelled: not, at its age then; young: open or cancelled before a business day was
-- over, which decides nothing; unknown: its request was closed and no service of its name is seen,
-- or it began before the source was asked. age_us is working time, elapsed_us time on the clock.
-- The same for the 24-hour clock, to the first production deployment, and of the portal's run.
-- key: evaluated_at, window_days, setup_id
-- not null: state, is_counted
-- check: state in ('ready', 'open', 'cancelled', 'young', 'unknown')
-- check: is_counted = (is_over is not null)
-- check: age_us >= 0 and elapsed_us >= 0
-- references: setup_id -> service_setup.setup_id
with optional as (
    select u.evaluated_at, u.window_days, l.setup_id, max(l.reached_at) as optional_at
    from setup_leg_use as u
    join setup_leg as l on l.leg = u.leg and l.reached_at < u.evaluated_at
    join setup_case as c on c.evaluated_at = u.evaluated_at and c.window_days = u.window_days
        and c.setup_id = l.setup_id and l.reached_at <= c.core_at + interval 30 day
    where u.is_used
    group by u.evaluated_at, u.window_days, l.setup_id
),
beside as (
    select setup_id,
        min(case when leg = 'production' then reached_at end) as production_at,
        min(case when leg = 'task start' then worked_us end) as task_start_worked_us,
        min(case when leg = 'task' then worked_us end) as task_worked_us,
        min(case when leg = 'task' then reached_at end) as task_at
    from setup_leg
    group by setup_id
),
ended as (
    select c.*,
        case when c.core_at is not null then greatest(c.core_at, o.optional_at) end as ready_at,
        b.production_at, b.task_start_worked_us, b.task_worked_us, b.task_at,
        case when c.ended_at < c.evaluated_at then c.outcome else 'open' end as outcome_then
    from setup_case as c
    left join optional as o on o.evaluated_at = c.evaluated_at and o.window_days = c.window_days
        and o.setup_id = c.setup_id
    left join beside as b on b.setup_id = c.setup_id
),
timed as (
    select *,
        coalesce(ready_at,
            case when outcome_then in ('cancelled', 'failed') then ended_at end,
            evaluated_at) as until_at,
        coalesce(case when production_at < evaluated_at
                then greatest(ready_at, production_at) end,
            case when outcome_then in ('cancelled', 'failed') then ended_at end,
            evaluated_at) as production_until_at,
        ready_at is not null and production_at < evaluated_at as is_in_production
    from ended
),
worked as (
    select t.*,
        coalesce(w.worked_before_us + greatest(0, least(
            epoch_us(t.until_at) - epoch_us(w.work_start_at),
            epoch_us(w.work_end_at) - epoch_us(w.work_start_at))), 0) as until_worked_us,
        coalesce(v.worked_before_us + greatest(0, least(
            epoch_us(t.production_until_at) - epoch_us(v.work_start_at),
            epoch_us(v.work_end_at) - epoch_us(v.work_start_at))), 0) as production_worked_us
    from timed as t
    cross join input.clock as k
    left join input.working_day as w on w.day = cast(timezone(k.zone, t.until_at) as date)
    left join input.working_day as v
        on v.day = cast(timezone(k.zone, t.production_until_at) as date)
),
aged as (
    select w.*, s.day_us,
        greatest(until_worked_us - start_worked_us, 0) as age_us,
        greatest(epoch_us(until_at) - epoch_us(start_at), 0) as elapsed_us,
        greatest(production_worked_us - start_worked_us, 0) as production_age_us,
        is_before_records or (outcome_then = 'done' and ready_at is null) as is_unknown
    from worked as w
    cross join input.setup as s
)
select evaluated_at, window_days, setup_id, start_at, start_worked_us, start_by, is_requested,
    service_id is not null as is_service,
    shows_pipeline and shows_deployment as has_core_sources,
    case
        when is_unknown then 'unknown'
        when ready_at is not null then 'ready'
        when age_us <= day_us then 'young'
        when outcome_then in ('cancelled', 'failed') then 'cancelled'
        else 'open'
    end as state,
    case when not is_unknown then ready_at end as ready_at, until_at, age_us, elapsed_us,
    not is_unknown and (ready_at is not null or age_us > day_us) as is_counted,
    case when not is_unknown and (ready_at is not null or age_us > day_us)
        then age_us > day_us end as is_over,
    case when not is_unknown and (ready_at is not null or elapsed_us > 86400000000)
        then elapsed_us > 86400000000 end as is_over_24h,
    case when not is_unknown and (is_in_production or production_age_us > day_us)
        then production_age_us > day_us end as is_over_production,
    case when task_at < evaluated_at
        then task_worked_us - task_start_worked_us > day_us end as is_over_task
from aged
