-- One row per ticket, with when it was first in progress and when it was last resolved.
-- key: ticket_id
-- not null: ticket_key, project, created_at
-- check: cycle_time_us is null or cycle_time_us >= 0
with moved as (
    select ticket_id,
        min(case when to_category = 'in_progress' then v.at end) as started_at,
        max(case when to_category = 'done' then v.at end) as done_at
    from records.ticket_transition as v
    where field = 'status'
    group by ticket_id
)
select
    t.ticket_id, t.ticket_key, t.project, t.type, t.request_type, t.title, t.url, t.status,
    t.status_category, t.created_at, m.started_at,
    case when t.status_category = 'done' then coalesce(m.done_at, t.resolved_at) end as resolved_at,
    case when t.status_category = 'done' and coalesce(m.done_at, t.resolved_at) >= m.started_at
        then epoch_us(coalesce(m.done_at, t.resolved_at)) - epoch_us(m.started_at) end
        as cycle_time_us,
    coalesce(t.status_category <> 'done', t.resolved_at is null) as is_open
from records.ticket as t
left join moved as m on m.ticket_id = t.ticket_id
where t.deleted_at is null
