-- One row per person, no machine, with when they were first and last seen at work (a commit, a
-- change request, a review, a production deployment) and when they reached each milestone.
-- is_newcomer: first seen at least 13 weeks after the history begins; of the others nobody can
-- tell when they came. Somebody not seen for 13 weeks counts as gone: until_at ends their wait.
-- key: person_id
-- not null: first_at, until_at, is_newcomer
-- check: until_at >= first_at
with committed as (
    select lower(author_email) as email, min(authored_at) as first_at, max(authored_at) as last_at
    from records.commit as c
    cross join input.clock as k
    where c.authored_at >= '2000-01-01' and c.authored_at < k.as_of and author_email is not null
    group by lower(author_email)
),
activity as (
    select 'email:' || sha256(email) as account_id, first_at as done_at from committed
    union all
    select 'email:' || sha256(email), last_at from committed
    union all
    select author, created_at from records.change_request where deleted_at is null
    union all
    select reviewer, submitted_at from records.review
    union all
    select actor, created_at from records.deployment_attempt
    where deleted_at is null and is_production(environment)
    union all
    select author, start_at from change where exclusion is null
),
seen as (
    select p.person_id, min(a.done_at) as first_at, max(a.done_at) as last_at
    from activity as a
    join account_person as p on p.account_id = a.account_id
    cross join input.clock as k
    where not p.is_bot and a.done_at >= '2000-01-01' and a.done_at < k.as_of
    group by p.person_id
),
merged as (
    select p.person_id, c.change_id, c.merged_at,
        row_number() over (partition by p.person_id order by c.merged_at, c.change_id) as place
    from change as c
    join account_person as p on p.account_id = c.author
    where c.exclusion is null and c.kind not in ('stacked', 'promotion', 'backport')
),
reached as (
    select person_id,
        min(case when place = 1 then merged_at end) as first_change_at,
        min(case when place = 10 then merged_at end) as tenth_change_at
    from merged
    group by person_id
),
produced as (
    select m.person_id, min(l.live_at) as live_at
    from merged as m
    join live_change as l on l.change_id = m.change_id
    where l.relation = 'shipped'
    group by m.person_id
),
triggered as (
    select p.person_id, min(d.created_at) as live_at
    from records.deployment_attempt as d
    join account_person as p on p.account_id = d.actor
    where d.deleted_at is null and is_production(d.environment) and d.created_at >= '2000-01-01'
    group by p.person_id
),
began as (
    select min(first_at) as began_at from seen
)
select s.person_id, s.first_at,
    least(k.as_of, s.last_at + interval 91 day) as until_at,
    s.first_at >= b.began_at + interval 91 day as is_newcomer,
    r.first_change_at, r.tenth_change_at,
    least(coalesce(o.live_at, t.live_at), coalesce(t.live_at, o.live_at)) as first_deployment_at
from seen as s
cross join input.clock as k
cross join began as b
left join reached as r on r.person_id = s.person_id
left join produced as o on o.person_id = s.person_id
left join triggered as t on t.person_id = s.person_id
