-- One row per ticket of the infrastructure team: its class and what says so, who asked (as a team, or as the organisation of a service desk), the hours it took by the source taken, and what its desk's goals say of the wait.
-- key: ticket_id
-- not null: class, method
with took as (
    select h.ticket_id, sum(h.duration_us) as duration_us
    from ticket_hours as h
    join tracked_person as p on p.person_id = h.person_id and p.is_infrastructure
    group by h.ticket_id
),
asked as (
    select t.ticket_id, min(m.name) as team_name
    from records.ticket as t
    join account_person as a on a.account_id = t.reporter
    join membership as b on b.person_id = a.person_id
    join team as m on m.team_id = b.team_id
    where t.deleted_at is null
    group by t.ticket_id
),
customer as (
    select t.ticket_id, min(u.name) as name
    from records.ticket as t, unnest(t.organisations) as u(name)
    where t.deleted_at is null
    group by t.ticket_id
)
select f.ticket_id, f.ticket_key, f.title, f.url, f.project, f.type, f.request_type, c.class,
    c.method, c.rule, c.probability, coalesce(a.team_name, o.name) as team_name, f.status, f.created_at, f.started_at,
    f.resolved_at, f.is_open, cast(t.duration_us as bigint) as duration_us,
    w.first_response_us, w.goals, w.missed as goals_missed
from ticket_class as c
join ticket_fact as f on f.ticket_id = c.ticket_id
left join took as t on t.ticket_id = c.ticket_id
left join asked as a on a.ticket_id = c.ticket_id
left join customer as o on o.ticket_id = c.ticket_id
left join request_wait as w on w.ticket_id = c.ticket_id
where c.is_infrastructure
