-- One row per ticket, person and moment something was done for it: created, moved, time logged, or a change that names it opened, committed to, reviewed, merged.
-- What machines do is no activity; a person that is not known is ''.
-- kept: while building
-- key: ticket_id, person_id, done_at, kind
with keyed as (
    select ticket_key, min(ticket_id) as ticket_id
    from records.ticket where deleted_at is null group by ticket_key
),
linked as (
    select c.change_request_id, k.ticket_id, c.author, c.created_at, c.merged_at, c.merged_by
    from (
        select change_request_id, author, created_at, merged_at, merged_by,
            unnest(list_distinct(ticket_keys)) as ticket_key
        from records.change_request where deleted_at is null
    ) as c
    join keyed as k on k.ticket_key = c.ticket_key
),
moment as (
    select ticket_id, reporter as account_id, created_at as done_at, 'created' as kind
    from records.ticket where deleted_at is null
    union all
    select v.ticket_id, v.actor, v.at, 'moved' from records.ticket_transition as v
    union all
    select ticket_id, author, started_at, 'worklog' from records.worklog where deleted_at is null
    union all
    select ticket_id, author, created_at, 'change' from linked
    union all
    select ticket_id, merged_by, merged_at, 'change' from linked where merged_at is not null
    union all
    select l.ticket_id, r.reviewer, r.submitted_at, 'change'
    from linked as l join records.review as r on r.change_request_id = l.change_request_id
    union all
    select l.ticket_id, 'email:' || sha256(lower(c.author_email)), c.authored_at, 'change'
    from linked as l join records.change_request_commit as c on c.change_request_id = l.change_request_id
)
select distinct m.ticket_id, coalesce(a.person_id, '') as person_id, m.done_at, m.kind
from moment as m
join records.ticket as t on t.ticket_id = m.ticket_id and t.deleted_at is null
cross join input.clock as k
left join account_person as a on a.account_id = m.account_id
left join person as p on p.person_id = a.person_id
where m.done_at is not null and m.done_at <= k.as_of and not coalesce(p.is_bot, false)
