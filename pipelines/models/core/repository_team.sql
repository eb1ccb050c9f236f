-- One row per repository whose owner is inferred: the team whose members opened at least half of
-- the changes merged in the 180 days before as_of, and at least five of them.
-- key: repository_key
-- references: team_id -> team.team_id
with merged as (
    select a.repository_key, c.change_request_id, m.team_id
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join account_person as p on p.account_id = c.author
    left join membership as m on m.person_id = p.person_id
    cross join input.clock as k
    where c.deleted_at is null and c.merged_at >= k.as_of - interval 180 day
        and c.merged_at < k.as_of and not p.is_bot
),
counted as (
    select repository_key, team_id, count(distinct change_request_id) as changes
    from merged where team_id is not null group by repository_key, team_id
),
total as (
    select repository_key, count(distinct change_request_id) as changes
    from merged group by repository_key
)
select c.repository_key, c.team_id
from counted as c
join total as t on t.repository_key = c.repository_key
where c.changes >= 5 and c.changes * 2 >= t.changes
qualify row_number() over (partition by c.repository_key order by c.changes desc, c.team_id) = 1
