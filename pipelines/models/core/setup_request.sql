-- One row per request for a new service, a ticket or a run of a template of the portal, and the
-- service that came of it: one of the same name, or the repository the run made, that began at
-- most 30 days before the request and 30 days after its end. Runs of other templates, and those
-- that name what had existed longer, are no requests for a service; `rule` says so.
-- key: request_id
-- not null: kind, requested_at, outcome
-- references: service_id -> setup_candidate.service_id
with template as (
    select k.task_id
    from records.scaffolder_task as k
    join input.setup_name as n on n.rule = 'template'
        and regexp_full_match(
            regexp_replace(lower(k.template), '^(template:)?([^/]*/)?', ''), n.pattern)
    group by k.task_id
),
registered as (
    select lower(e.entity_ref) as entity_ref, a.repository_key, min(lower(e.name)) as name
    from records.catalog_entity as e
    join repository_alias as a on a.alias = e.repository_key
    where e.deleted_at is null
    group by lower(e.entity_ref), a.repository_key
),
request as (
    select t.ticket_id as request_id, 'ticket' as kind, t.connection, t.ticket_key as label,
        t.title, t.url, t.reporter as requester, t.name, null as repository_key, t.requested_at,
        t.approved_at, t.ended_at, t.outcome, null as template, true as is_asking
    from setup_ticket as t
    union all
    select k.task_id, 'task', k.connection, k.template,
        coalesce(k.name, k.template), k.url, k.requester,
        lower(coalesce(
            k.name, e.name, nullif(regexp_extract(k.entity_ref, '([^/:]+)$', 1), ''))),
        coalesce(a.repository_key, e.repository_key), k.created_at, k.created_at,
        case when k.status in ('succeeded', 'failed', 'cancelled')
            then greatest(coalesce(k.completed_at, k.created_at), k.created_at) end,
        case k.status when 'succeeded' then 'done' when 'failed' then 'failed'
            when 'cancelled' then 'cancelled' else 'open' end,
        k.template, m.task_id is not null
    from records.scaffolder_task as k
    left join template as m on m.task_id = k.task_id
    left join repository_alias as a on a.alias = k.repository_key
    left join registered as e on e.entity_ref = lower(k.entity_ref)
    where k.deleted_at is null
    qualify row_number() over (
        partition by k.task_id order by a.repository_key, e.repository_key) = 1
),
called as (
    select lower(name) as name, service_id, 0 as distance from setup_candidate
    union
    select regexp_extract(repository_key, '[^/]+$'), service_id, 1 from setup_candidate
),
word as (
    -- Where the pattern finds no name, or a common word, any word of the title may be one.
    select request_id, unnest(regexp_split_to_array(lower(title), '[^\p{L}\p{N}_.-]+')) as name
    from request
    where kind = 'ticket' and not coalesce(regexp_matches(name, '[-_.0-9]'), false)
),
found as (
    select r.request_id, s.service_id,
        case when lower(s.name) = r.name then 0 else 1 end as distance
    from request as r
    join setup_candidate as s on s.repository_key = r.repository_key
    union all
    select r.request_id, c.service_id, 2 + c.distance
    from request as r
    join called as c on c.name = r.name
    where r.repository_key is null
    union all
    select w.request_id, c.service_id, 4 + c.distance
    from word as w
    join called as c on c.name = w.name
    where len(w.name) > 2
),
judged as (
    select f.request_id, f.service_id, f.distance, s.begun_at, s.first_attempt_at,
        coalesce(s.begun_at, s.first_attempt_at, r.requested_at)
                >= r.requested_at - interval 30 day
            and coalesce(s.begun_at, s.first_attempt_at, r.requested_at)
                <= coalesce(r.ended_at, s.begun_at, s.first_attempt_at, r.requested_at)
                    + interval 30 day as is_new
    from found as f
    join request as r on r.request_id = f.request_id
    join setup_candidate as s on s.service_id = f.service_id
),
nearest as (
    select * from judged
    where is_new or distance < 4
    qualify row_number() over (
        partition by request_id
        order by is_new desc, distance, begun_at desc nulls last, service_id) = 1
)
select r.request_id, r.kind, r.connection, r.label, r.title, r.url, r.requester, r.name,
    case when n.is_new then n.service_id end as service_id,
    r.requested_at, r.approved_at, r.ended_at, r.outcome, r.template,
    case
        when not r.is_asking then 'other template'
        when r.outcome = 'duplicate' then 'duplicate'
        when n.is_new then null
        when coalesce(n.begun_at, n.first_attempt_at) < r.requested_at - interval 30 day then 'existed already'
        when r.kind = 'task' and r.outcome = 'done' and r.repository_key is null
            then 'no repository'
    end as rule
from request as r
left join nearest as n on n.request_id = r.request_id
