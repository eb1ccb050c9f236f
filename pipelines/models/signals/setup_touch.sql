-- One row per set-up and ticket people worked on for it: those that asked for it, and those of the
-- same projects that name it from its start until it is ready. worked_us: what was logged on them;
-- where the project logs no time, the hours that their histories tell, null where they tell none.
-- key: setup_id, ticket_id
-- references: setup_id -> service_setup.setup_id
with standing as (
    select s.setup_id, s.start_at, s.until_at, lower(v.name) as name, v.service_id
    from setup_standing as s
    join service_setup as v on v.setup_id = s.setup_id
    where s.window_days = 0
),
asking as (
    select distinct project from setup_ticket
),
named as (
    select t.ticket_id, t.created_at,
        unnest(list_distinct(list_concat(
            regexp_split_to_array(lower(t.title), '[^\p{L}\p{N}_.-]+'),
            list_transform(t.components, lambda component: lower(component))))) as name
    from records.ticket as t
    join asking as a on a.project = t.project
    where t.deleted_at is null
),
touched as (
    select s.setup_id, n.ticket_id
    from standing as s
    join named as n
        on n.name = s.name and n.created_at >= s.start_at and n.created_at <= s.until_at
    where len(s.name) > 2
    union
    select coalesce(r.service_id, r.request_id), r.request_id
    from setup_request as r
    join standing as s on s.setup_id = coalesce(r.service_id, r.request_id)
    where r.kind = 'ticket' and coalesce(r.rule, '') not in ('duplicate', 'existed already')
),
logged as (
    select w.ticket_id, sum(w.duration_us) as worked_us
    from records.worklog as w
    where w.deleted_at is null
    group by w.ticket_id
),
measured as (
    select ticket_id, sum(duration_us) as worked_us from ticket_hours group by ticket_id
),
logging as (
    select distinct t.project
    from logged as l
    join records.ticket as t on t.ticket_id = l.ticket_id
)
select h.setup_id, h.ticket_id, t.ticket_key,
    cast(case when g.project is not null then coalesce(l.worked_us, 0) else m.worked_us end
        as bigint) as worked_us
from touched as h
join records.ticket as t on t.ticket_id = h.ticket_id
left join logging as g on g.project = t.project
left join logged as l on l.ticket_id = h.ticket_id
left join measured as m on m.ticket_id = h.ticket_id
