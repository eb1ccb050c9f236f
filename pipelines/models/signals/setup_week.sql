-- One row per ISO week that is over and in which a set-up was decided: of those, the share that
-- took more than a business day. A quick one is decided when it is ready, any other at the moment
-- its business day is over.
-- key: threshold, week
-- not null: value, n
-- check: value between 0 and 1
with decided as (
    select s.setup_id, s.is_over,
        case when s.is_over
            then w.work_start_at + to_microseconds(
                s.start_worked_us + t.day_us - w.worked_before_us)
            else s.ready_at end as decided_at
    from setup_standing as s
    cross join input.setup as t
    left join input.working_day as w
        on w.worked_before_us <= s.start_worked_us + t.day_us
        and s.start_worked_us + t.day_us
            < w.worked_before_us + epoch_us(w.work_end_at) - epoch_us(w.work_start_at)
    where s.window_days = 0 and s.is_counted
)
select 'setup_time' as threshold, p.period_start as week,
    round_significant(count(*) filter (where d.is_over) / count(*)) as value, count(*) as n,
    cast(null as bigint) as joins, cast(null as bigint) as leaves
from decided as d
join input.period as p on p.period = 'week' and not p.is_partial
    and d.decided_at >= p.start_at and d.decided_at < p.end_at
group by p.period_start
