-- One row per ticket in which somebody asks the platform team for something: those of the class
-- request that are the infrastructure team's, or of a kind most of which is (what nobody has touched
-- yet tells nothing of whose it is); every request where no team is named. team_ids: the teams of
-- who asked, or the organisations of the service desk that it is for, where nobody knows a team (one
-- of a team's name is that team); machines ask for nothing. Dates are the organisation's.
-- key: ticket_id
-- not null: ticket_key, opened_at, week, team_ids
with asked as (
    select t.ticket_id, c.is_infrastructure,
        concat_ws(' · ', lower(t.project), lower(coalesce(t.request_type, t.type))) as kind
    from records.ticket as t
    join ticket_class as c on c.ticket_id = t.ticket_id and c.class = 'request'
    where t.deleted_at is null
),
theirs as (
    select kind from asked group by kind having count(*) filter (where is_infrastructure) * 2 > count(*)
),
named as (
    select count(*) > 0 as is_named from input.infrastructure_team
),
wanted as (
    select a.ticket_id
    from asked as a
    cross join named as n
    left join theirs as h on h.kind = a.kind
    where not n.is_named or a.is_infrastructure or h.kind is not null
),
member as (
    select person_id, list(team_id order by team_id) as team_ids
    from membership
    group by person_id
),
customer as (
    select t.ticket_id, list_sort(list_distinct(list('team:' || lower(trim(u.name))))) as team_ids
    from records.ticket as t, unnest(t.organisations) as u(name)
    where t.deleted_at is null and trim(u.name) <> ''
    group by t.ticket_id
),
moved as (
    select ticket_id,
        min(case when to_category = 'in_progress' then v.at end) as started_at,
        max(case when to_category = 'done' then v.at end) as done_at
    from records.ticket_transition as v
    where field = 'status'
    group by ticket_id
)
select
    t.ticket_id, t.ticket_key, t.project, t.title, t.url, t.request_type, t.type, t.components,
    p.person_id, coalesce(m.team_ids, o.team_ids, cast([] as varchar[])) as team_ids, a.person_id as handler_id,
    t.created_at as opened_at, v.started_at,
    case when t.status_category = 'done' or (t.status_category is null and t.resolved_at is not null)
        then coalesce(v.done_at, t.resolved_at) end as resolved_at,
    cast(date_trunc('week', cast(timezone(k.zone, t.created_at) as date)) as date) as week
from records.ticket as t
join wanted as q on q.ticket_id = t.ticket_id
cross join input.clock as k
left join account_person as p on p.account_id = t.reporter
left join account_person as a on a.account_id = t.assignee
left join member as m on m.person_id = p.person_id
left join customer as o on o.ticket_id = t.ticket_id
left join moved as v on v.ticket_id = t.ticket_id
where not coalesce(p.is_bot, false)
    and t.created_at >= '2000-01-01' and t.created_at < k.as_of
