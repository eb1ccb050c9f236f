-- One row per ticket, moment it was in progress from, and whose it was then.
-- In progress by the statuses of the settings, or by the category; open ones end with the data.
-- kept: while building
-- key: ticket_id, from_at
-- check: to_at > from_at
with known as (
    select t.connection, lower(v.to_value) as status, min(v.to_category) as category
    from records.ticket_transition as v
    join records.ticket as t on t.ticket_id = v.ticket_id
    where v.field = 'status'
    group by t.connection, lower(v.to_value)
),
moved as (
    select v.ticket_id, v.field, v.at as from_at, v.from_value, v.to_value, v.to_category,
        lead(v.at) over each_field as to_at,
        row_number() over each_field as place
    from records.ticket_transition as v
    where v.field in ('status', 'assignee')
    window each_field as (partition by v.ticket_id, v.field order by v.at, v.transition_id)
),
status as (
    select ticket_id, from_at, to_at, lower(to_value) as status, to_category as category
    from moved where field = 'status'
    union all
    -- Before its first move a ticket had the status that it left then.
    select m.ticket_id, t.created_at, m.from_at, lower(m.from_value), k.category
    from moved as m
    join records.ticket as t on t.ticket_id = m.ticket_id
    left join known as k on k.connection = t.connection and k.status = lower(m.from_value)
    where m.field = 'status' and m.place = 1
),
progress as (
    select s.ticket_id, s.from_at, least(coalesce(s.to_at, k.as_of), k.as_of) as to_at
    from status as s
    cross join input.request_rule as w
    cross join input.clock as k
    where case when len(w.in_progress_statuses) > 0
        then list_contains(w.in_progress_statuses, s.status) else s.category = 'in_progress' end
),
holder as (
    select ticket_id, from_at, to_at, to_value as account_id from moved where field = 'assignee'
    union all
    select ticket_id, timestamptz '1970-01-01 00:00:00+00', from_at, from_value
    from moved where field = 'assignee' and place = 1
    union all
    select t.ticket_id, timestamptz '1970-01-01 00:00:00+00', null, t.assignee
    from records.ticket as t
    anti join moved as m on m.ticket_id = t.ticket_id and m.field = 'assignee'
),
held as (
    select p.ticket_id, greatest(p.from_at, h.from_at) as from_at,
        least(p.to_at, coalesce(h.to_at, p.to_at)) as to_at, h.account_id
    from progress as p
    join records.ticket as t on t.ticket_id = p.ticket_id and t.deleted_at is null
    join holder as h on h.ticket_id = p.ticket_id
        and h.from_at < p.to_at and (h.to_at is null or h.to_at > p.from_at)
)
select h.ticket_id, h.from_at, max(h.to_at) as to_at, min(a.person_id) as person_id
from held as h
left join account_person as a on a.account_id = h.account_id
where h.to_at > h.from_at
group by h.ticket_id, h.from_at
