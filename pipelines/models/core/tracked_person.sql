-- One row per person whose hours are looked at: the infrastructure teams with those below them, and everybody else in a team.
-- Where no member of the named teams is known, whoever is assigned tickets of their projects.
-- key: person_id
-- not null: is_infrastructure, method
-- references: person_id -> person.person_id
with recursive part as (
    select team_id from input.infrastructure_team
    union
    select t.team_id from team as t join part as p on t.parent = p.team_id
),
named as (
    select distinct m.person_id
    from membership as m
    join part as p on p.team_id = m.team_id
    join person as w on w.person_id = m.person_id and not w.is_bot
),
assigned as (
    select distinct a.person_id
    from records.ticket as t
    cross join input.request_rule as r
    join account_person as a on a.account_id = t.assignee
    join person as w on w.person_id = a.person_id and not w.is_bot
    where t.deleted_at is null and list_contains(r.projects, lower(t.project))
        and exists (select 1 from input.infrastructure_team) and not exists (select 1 from named)
),
grouped as (
    select person_id, true as is_infrastructure, 'member' as method from named
    union all
    select person_id, true, 'assignee' from assigned
    union all
    select distinct m.person_id, false, 'member'
    from membership as m
    join person as w on w.person_id = m.person_id and not w.is_bot
    where m.person_id not in (select person_id from named)
        and m.person_id not in (select person_id from assigned)
),
moment as (
    select actor as account_id, min(v.at) as first_at
    from records.ticket_transition as v group by actor
    union all
    select author, min(started_at) from records.worklog where deleted_at is null group by author
    union all
    select author, min(created_at) from records.change_request where deleted_at is null group by author
    union all
    select reporter, min(created_at) from records.ticket where deleted_at is null group by reporter
    union all
    select 'email:' || sha256(email), min(authored_at)
    from (
        select lower(author_email) as email, min(authored_at) as authored_at
        from records.commit where authored_at > '2000-01-01' group by lower(author_email)
    )
    group by email
),
seen as (
    select a.person_id, min(m.first_at) as first_at
    from moment as m
    join account_person as a on a.account_id = m.account_id
    group by a.person_id
)
select g.person_id, g.is_infrastructure, g.method, s.first_at
from grouped as g
left join seen as s on s.person_id = g.person_id
