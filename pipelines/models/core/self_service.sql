-- One row per thing somebody did without asking another team: self-service actions and runs of
-- portal templates, under the category of requests they stand for (by the settings, else by name).
-- ticket_id: the first request of that category by the same person soon after: it did not help.
-- is_ok: succeeded, and no such request came; null while that cannot be known.
-- key: action_id
-- not null: category, action, state, team_ids
-- check: state in ('succeeded', 'failed', 'unfinished')
-- check: not coalesce(is_ok, false) or ticket_id is null
with action as (
    select action_id, category as action, actor, started_at, completed_at, lower(outcome) as outcome
    from records.self_service_action where deleted_at is null
    union all
    -- Portals give a run that is over as an action as well, under the template's own name.
    select task_id, regexp_replace(template, '^(template:)?([^/]*/)?', ''), requester, created_at,
        completed_at,
        case when lower(status) in ('completed', 'succeeded') then 'succeeded'
            when lower(status) in ('failed', 'cancelled') then 'failed' end
    from records.scaffolder_task
    where deleted_at is null and task_id not in (
        select action_id from records.self_service_action where deleted_at is null)
),
spelling as (
    select lower(category) as folded, min(category) as category
    from ticket_category group by lower(category)
),
member as (
    select person_id, list(team_id order by team_id) as team_ids from membership group by person_id
),
named as (
    select a.action_id, a.action,
        coalesce(s.category, m.category, trim(a.action)) as category,
        p.person_id, coalesce(t.team_ids, cast([] as varchar[])) as team_ids,
        a.started_at, a.completed_at,
        case when a.outcome in ('failed', 'cancelled') then 'failed'
            when a.outcome = 'succeeded' or a.completed_at is not null then 'succeeded'
            else 'unfinished' end as state,
        cast(date_trunc('week', cast(timezone(k.zone, a.started_at) as date)) as date) as week,
        coalesce(a.completed_at, a.started_at) + to_microseconds(r.ticket_us) as known_at, k.as_of
    from action as a
    cross join input.clock as k
    cross join input.self_service_rule as r
    left join input.self_service_category as m on m.action = lower(a.action)
    left join spelling as s on s.folded = lower(trim(coalesce(m.category, a.action)))
    left join account_person as p on p.account_id = a.actor
    left join member as t on t.person_id = p.person_id
    where not coalesce(p.is_bot, false) and a.started_at >= '2000-01-01' and a.started_at < k.as_of
),
followed as (
    select n.action_id, arg_min(r.ticket_id, (r.opened_at, r.ticket_id)) as ticket_id
    from named as n
    join platform_request as r on r.person_id = n.person_id
        and r.opened_at >= coalesce(n.completed_at, n.started_at) and r.opened_at < n.known_at
    join ticket_category as c on c.ticket_id = r.ticket_id and c.category = n.category
    group by n.action_id
)
select n.action_id, n.action, n.category, n.person_id, n.team_ids, n.started_at, n.completed_at,
    n.week, n.state, f.ticket_id,
    case when n.state <> 'succeeded' or f.ticket_id is not null then false
        when n.person_id is null or n.known_at > n.as_of then null
        else true end as is_ok
from named as n
left join followed as f on f.action_id = n.action_id
