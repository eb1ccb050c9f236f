-- One row per moment and team that owned a repository then: how many, and how many of them were
-- scanned. Forks, mirrors and archived repositories are nobody's set-up and do not count.
-- key: moment_at, team_id
-- references: team_id -> team.team_id
-- check: scanned <= repositories
with owned as (
    select distinct s.team_id, s.repository_key, r.created_at, s.archived_at
    from service as s
    join repository as r on r.repository_key = s.repository_key
    where s.team_id is not null and not r.is_fork and not r.is_mirror
)
select m.moment_at, o.team_id, count(distinct o.repository_key) as repositories,
    count(distinct c.repository_key) as scanned
from configuration_moment as m
join owned as o
    on (o.created_at is null or o.created_at <= m.moment_at)
    and (o.archived_at is null or o.archived_at > m.moment_at)
left join standing_scan as c
    on c.repository_key = o.repository_key and c.from_at <= m.moment_at
    and (c.until_at is null or c.until_at > m.moment_at)
group by m.moment_at, o.team_id
