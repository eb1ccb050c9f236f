-- One row per evaluation, window and optional leg: of the set-ups whose core legs were there, how
-- many showed it; it counts where at least nine in ten did, and else for none. One that shows
-- only 30 days after the core legs is a later change: files move, and rules find new places.
-- key: evaluated_at, window_days, leg
-- not null: seen, set_ups, is_used
with cohort as (
    select evaluated_at, window_days, count(*) as set_ups
    from setup_case
    where core_at is not null and service_id is not null
    group by evaluated_at, window_days
),
shown as (
    select c.evaluated_at, c.window_days, l.leg, count(*) as seen
    from setup_case as c
    join setup_leg as l on l.setup_id = c.setup_id and l.reached_at < c.evaluated_at
        and l.reached_at <= c.core_at + interval 30 day
    where c.core_at is not null and l.leg in ('secrets', 'monitoring', 'ownership')
    group by c.evaluated_at, c.window_days, l.leg
)
select c.evaluated_at, c.window_days, o.leg, coalesce(s.seen, 0) as seen, c.set_ups,
    coalesce(s.seen, 0) * 10 >= c.set_ups * 9 as is_used
from cohort as c
cross join (select unnest(['secrets', 'monitoring', 'ownership']) as leg) as o
left join shown as s on s.evaluated_at = c.evaluated_at and s.window_days = c.window_days
    and s.leg = o.leg
