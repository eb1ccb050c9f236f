-- One row per ticket that asks for a new service, by its request type, type, label or title; the
-- name it asks for is found in its title. approved_at: when somebody took it up.
-- key: ticket_id
-- not null: requested_at, outcome
-- check: outcome in ('open', 'done', 'cancelled', 'duplicate')
-- check: (ended_at is null) = (outcome = 'open')
with moved as (
    select v.ticket_id,
        min(case when v.to_category in ('in_progress', 'done') then v.at end) as approved_at,
        max(case when v.to_category = 'done' then v.at end) as done_at
    from records.ticket_transition as v
    where v.field = 'status'
    group by v.ticket_id
),
asking as (
    select t.ticket_id, t.ticket_key, t.project, t.title, t.url, t.reporter, t.connection,
        t.created_at as requested_at, m.approved_at,
        case when coalesce(t.status_category = 'done', t.resolved_at is not null)
            then greatest(coalesce(m.done_at, t.resolved_at, t.created_at), t.created_at) end
            as ended_at,
        list_contains(s.cancelled, lower(t.resolution))
            or list_contains(s.cancelled, lower(t.status)) as is_cancelled,
        lower(t.resolution) = 'duplicate' as is_duplicate,
        lower(nullif(regexp_extract(t.title, s.name_pattern, 1), '')) as name
    from records.ticket as t
    cross join input.setup as s
    left join moved as m on m.ticket_id = t.ticket_id
    where t.deleted_at is null
        and (len(s.projects) = 0 or list_contains(s.projects, lower(t.project)))
        and (list_contains(s.request_types, lower(t.request_type))
            or list_contains(s.request_types, lower(t.type))
            or list_has_any(s.labels, list_transform(t.labels, lambda label: lower(label)))
            or regexp_matches(t.title, s.title_pattern))
)
select ticket_id, ticket_key, project, title, url, reporter, connection, name, requested_at,
    case when approved_at >= requested_at then approved_at end as approved_at, ended_at,
    case
        when ended_at is null then 'open'
        when is_duplicate then 'duplicate'
        when is_cancelled then 'cancelled'
        else 'done'
    end as outcome
from asking
