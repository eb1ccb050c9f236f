-- One row per ticket: whether it is the infrastructure team's, and the class that a rule gives it.
-- It is theirs by project, by component, or because one of them was assigned it or logged time on it.
-- The first that says something holds: a user's correction, a label, the type, the nearest parent
-- of which one of these holds or that the settings name, the project, the team of the reporter.
-- key: ticket_id
-- not null: is_infrastructure, method
-- check: (class is null) = (method = 'none')
-- check: class is null or class in ('request', 'build', 'incident', 'overhead')
with recursive rank as (
    -- Of two labels that disagree, the class that must not be missed.
    select * from (values ('incident', 1), ('request', 2), ('build', 3), ('overhead', 4)) as r(class, place)
),
told as (
    select t.ticket_id, t.connection, t.ticket_key, t.project, t.type, t.request_type, t.labels,
        t.components, t.parent_key, t.reporter
    from records.ticket as t
    where t.deleted_at is null
),
touched as (
    select ticket_id, assignee as account_id from records.ticket where assignee is not null
    union
    select ticket_id, to_value from records.ticket_transition where field = 'assignee'
    union
    select ticket_id, author from records.worklog where deleted_at is null
),
worked as (
    select distinct t.ticket_id
    from touched as t
    join account_person as a on a.account_id = t.account_id
    join tracked_person as p on p.person_id = a.person_id and p.is_infrastructure
),
corrected as (
    select subject as ticket_id, value as class from decision where kind = 'ticket_class'
),
labelled as (
    select n.ticket_id, arg_min(r.class, (k.place, n.name)) as class,
        arg_min(n.name, (k.place, n.name)) as name
    from (select ticket_id, lower(unnest(labels)) as name from told) as n
    join input.ticket_class_rule as r on r.level = 'label' and r.name = n.name
    join rank as k on k.class = r.class
    group by n.ticket_id
),
disturbing as (
    -- What the settings call an incident is one here too, unless they say more of its type.
    select t.ticket_id
    from told as t
    cross join input.incident_ticket as w
    where (
            list_contains(w.types, lower(t.type))
            or list_has_any(w.labels, list_transform(t.labels, lambda label: lower(label)))
        )
        and (len(w.projects) = 0 or list_contains(w.projects, lower(t.project)))
),
own as (
    select t.ticket_id,
        coalesce(c.class, l.class, q.class, y.class, case when i.ticket_id is not null then 'incident'
            when t.request_type is not null then 'request' end) as class,
        case when c.class is not null then 'correction' when l.class is not null then 'label'
            when coalesce(q.class, y.class, i.ticket_id, t.request_type) is not null then 'type' end
            as method,
        case when c.class is not null then 'corrected by a user'
            when l.class is not null then 'label ' || l.name
            when q.class is not null then 'request type ' || t.request_type
            when y.class is not null then 'type ' || t.type
            when i.ticket_id is not null then 'an incident by the settings'
            when t.request_type is not null then 'asked through the portal: ' || t.request_type end
            as rule
    from told as t
    left join corrected as c on c.ticket_id = t.ticket_id
        and c.class in ('request', 'build', 'incident', 'overhead')
    left join labelled as l on l.ticket_id = t.ticket_id
    left join disturbing as i on i.ticket_id = t.ticket_id
    left join input.ticket_class_rule as q on q.level = 'type' and q.name = lower(t.request_type)
    left join input.ticket_class_rule as y on y.level = 'type' and y.name = lower(t.type)
),
keyed as (
    select connection, ticket_key, min(ticket_id) as ticket_id from told group by connection, ticket_key
),
above as (
    -- Who is above whom, nearest first; the limit makes a circle harmless.
    select ticket_id, connection, parent_key, 1 as distance from told where parent_key is not null
    union all
    select a.ticket_id, a.connection, t.parent_key, a.distance + 1
    from above as a
    join keyed as k on k.connection = a.connection and k.ticket_key = a.parent_key
    join told as t on t.ticket_id = k.ticket_id and t.parent_key is not null
    where a.distance < 6
),
inherited as (
    select a.ticket_id, arg_min(coalesce(r.class, o.class), a.distance) as class,
        arg_min(a.parent_key, a.distance) as parent_key
    from above as a
    left join input.ticket_class_rule as r on r.level = 'parent' and r.name = lower(a.parent_key)
    left join keyed as k on k.connection = a.connection and k.ticket_key = a.parent_key
    left join own as o on o.ticket_id = k.ticket_id
    where coalesce(r.class, o.class) is not null
    group by a.ticket_id
),
placed as (
    select t.ticket_id,
        list_contains(w.projects, lower(t.project))
            or list_has_any(w.components, list_transform(t.components, lambda each: lower(each)))
            or k.ticket_id is not null as is_infrastructure
    from told as t
    cross join input.request_rule as w
    left join worked as k on k.ticket_id = t.ticket_id
),
reported as (
    select t.ticket_id, p.is_infrastructure as is_own
    from told as t
    join account_person as a on a.account_id = t.reporter
    join tracked_person as p on p.person_id = a.person_id
),
candidate as (
    select t.ticket_id, p.is_infrastructure,
        o.class as own_class, o.method as own_method, o.rule as own_rule,
        i.class as parent_class, i.parent_key, j.class as project_class, t.project,
        case when p.is_infrastructure then
            case when r.is_own then w.own_reports when not r.is_own then 'request' end end as team_class,
        r.is_own
    from told as t
    join placed as p on p.ticket_id = t.ticket_id
    join own as o on o.ticket_id = t.ticket_id
    cross join input.request_rule as w
    left join inherited as i on i.ticket_id = t.ticket_id
    left join input.ticket_class_rule as j on j.level = 'project' and j.name = lower(t.project)
    left join reported as r on r.ticket_id = t.ticket_id
)
select ticket_id, coalesce(is_infrastructure, false) as is_infrastructure,
    coalesce(own_class, parent_class, project_class, team_class) as class,
    case when own_class is not null then own_method
        when parent_class is not null then 'epic'
        when project_class is not null then 'project'
        when team_class is not null then 'reporter' else 'none' end as method,
    case when own_class is not null then own_rule
        when parent_class is not null then 'below ' || parent_key
        when project_class is not null then 'project ' || project
        when team_class is not null and is_own then 'reported by the infrastructure team itself'
        when team_class is not null then 'reported by another team' end as rule
from candidate
