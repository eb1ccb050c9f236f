-- One row per category of requests and ISO week, from the first ticket on: tickets, engineers and
-- what people did for themselves. demand_rate: tickets per engineer. self_service_ratio: actions
-- that helped, of those and the tickets; not deflection. engineers: null while the history is too
-- short to count them.
-- key: category, week
-- not null: tickets, actions, is_partial
-- check: actions_ok <= actions
with covered as (
    select min(cast(timezone(k.zone, t.created_at) as date)) as first_day
    from records.ticket as t
    cross join input.clock as k
    where t.deleted_at is null and t.created_at >= '2000-01-01' and t.created_at < k.as_of
),
week as (
    select p.period_start as week, p.is_partial or p.period_start < c.first_day as is_partial
    from input.period as p
    cross join covered as c
    where p.period = 'week' and p.period_end > c.first_day
),
category as (
    select category from ticket_category union select category from self_service
),
asked as (
    select c.category, r.week, count(*) as tickets, count(distinct r.person_id) as requesters
    from platform_request as r
    join ticket_category as c on c.ticket_id = r.ticket_id
    group by c.category, r.week
),
done as (
    select category, week, count(*) as attempts,
        count(*) filter (where state = 'succeeded') as actions,
        count(*) filter (where is_ok) as actions_ok,
        count(*) filter (where state <> 'succeeded') as failed_actions,
        count(*) filter (where ticket_id is not null) as followed_actions
    from self_service
    group by category, week
),
engineer as (
    select week, count(*) as engineers from engineer_week group by week
)
select g.category, w.week, w.is_partial, coalesce(a.tickets, 0) as tickets,
    coalesce(a.requesters, 0) as requesters, e.engineers,
    round_significant(coalesce(a.tickets, 0) / nullif(e.engineers, 0)) as demand_rate,
    coalesce(d.attempts, 0) as attempts, coalesce(d.actions, 0) as actions,
    coalesce(d.actions_ok, 0) as actions_ok, coalesce(d.failed_actions, 0) as failed_actions,
    coalesce(d.followed_actions, 0) as followed_actions,
    case when d.actions_ok + coalesce(a.tickets, 0) > 0
        then round_significant(d.actions_ok / (d.actions_ok + coalesce(a.tickets, 0)))
    end as self_service_ratio
from category as g
cross join week as w
left join asked as a on a.category = g.category and a.week = w.week
left join done as d on d.category = g.category and d.week = w.week
left join engineer as e on e.week = w.week
