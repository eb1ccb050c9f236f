-- One row per incident: those of incident sources, and tickets that the settings call incidents.
-- Incidents merged into another are folded into it: the earliest start and the last resolve. The service is the first its source names: an incident's own, or a ticket's components, then labels.
-- key: incident_id
-- not null: source, started_at, is_open
-- references: service_id -> service.service_id; team_id -> team.team_id
with recursive recorded as (
    select incident_id, 'incident' as source, connection, [service_hint] as hints, title, severity,
        coalesce(started_at, created_at) as started_at, created_at, acknowledged_at, resolved_at,
        resolved_at is null
            and coalesce(lower(status), '') not in ('resolved', 'closed', 'done') as is_open,
        merged_into, coalesce("references", []::varchar[]) as refs, url
    from records.incident
    where deleted_at is null
),
ticketed as (
    select t.ticket_id, 'ticket', t.connection,
        list_concat(t.components, list_concat(t.labels, list_transform(
            list_filter(t.labels, lambda label: starts_with(lower(label), 'service:')),
            lambda label: substr(label, 9)))),
        t.title, t.priority, f.created_at, f.created_at, null::timestamptz, f.resolved_at,
        f.is_open, null::varchar, []::varchar[], t.url
    from records.ticket as t
    join ticket_fact as f on f.ticket_id = t.ticket_id
    cross join input.incident_ticket as w
    where (
            list_contains(w.types, lower(t.type))
            or list_has_any(w.labels, list_transform(t.labels, lambda label: lower(label)))
        )
        and (len(w.projects) = 0 or list_contains(w.projects, lower(t.project)))
),
told as (
    select * from recorded union all select * from ticketed
),
step as (
    select m.incident_id, m.merged_into as root_id
    from told as m
    join told as r on r.incident_id = m.merged_into
    where m.merged_into <> m.incident_id
),
chain as (
    -- A chain of merges ends at its last; the limit makes a circle harmless.
    select incident_id, root_id, 1 as depth from step
    union all
    select c.incident_id, s.root_id, c.depth + 1
    from chain as c
    join step as s on s.incident_id = c.root_id
    where c.depth < 20
),
rooted as (
    select incident_id, arg_max(root_id, depth) as root_id from chain group by incident_id
),
hinted as (
    select incident_id, lower(trim(unnest(hints))) as hint,
        unnest(range(1, len(hints) + 1)) as ordinal
    from told
),
placed as (
    select h.incident_id,
        arg_min(n.service_id, h.ordinal) as service_id,
        arg_min(m.team_id, (h.ordinal, m.team_id)) as team_id
    from hinted as h
    left join service_name as n on n.name = h.hint
    left join team as m on lower(m.name) = h.hint
    group by h.incident_id
),
member as (
    select coalesce(r.root_id, t.incident_id) as root_id, t.incident_id, t.started_at,
        t.acknowledged_at, t.resolved_at, t.refs, p.service_id, p.team_id
    from told as t
    left join rooted as r on r.incident_id = t.incident_id
    left join placed as p on p.incident_id = t.incident_id
),
folded as (
    select root_id,
        min(started_at) as started_at,
        min(acknowledged_at) as acknowledged_at,
        max(resolved_at) as resolved_at,
        arg_min(service_id, (incident_id <> root_id, incident_id)) as service_id,
        arg_min(team_id, (incident_id <> root_id, incident_id)) as team_id,
        list_sort(list_distinct(flatten(list(refs)))) as refs
    from member
    group by root_id
)
select
    t.incident_id, t.source, t.connection, f.service_id, coalesce(s.team_id, f.team_id) as team_id,
    t.title, t.severity, f.started_at, least(t.created_at, coalesce(f.started_at, t.created_at)) as created_at,
    f.acknowledged_at, case when not t.is_open then f.resolved_at end as resolved_at, t.is_open,
    f.refs, t.url
from folded as f
join told as t on t.incident_id = f.root_id
left join service as s on s.service_id = f.service_id
