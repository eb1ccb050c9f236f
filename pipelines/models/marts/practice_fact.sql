-- One row per team, approach and file that shows it today, with a link to the line at the commit
-- that was read, and how it stands against the standard and the other teams.
-- key: team_id, repository_key, category, approach, path
-- references: team_id -> team.team_id
select u.team_id, t.name as team_name, u.repository_key, r.name as repository_name, u.category,
    c.title as control, c.is_critical, u.approach, coalesce(a.title, u.approach) as approach_title,
    u.path, u.at_line,
    case when r.url is not null
        then rtrim(r.url, '/') || '/blob/' || s.sha || '/' || u.path || '#L' || u.at_line end as url,
    s.sha, s.from_at as since_at, s.scanned_at, g.standard,
    case when g.standard is not null
        then list_contains(g.standard, u.approach) or k.is_excepted end as is_conforming,
    list_contains(p.outliers, u.team_id) as is_outlier, k.is_excepted, k.exception,
    k.exception_until
from practice_use as u
join standing_scan as s on s.scan_id = u.scan_id and s.until_at is null
join team as t on t.team_id = u.team_id
join repository as r on r.repository_key = u.repository_key
join input.control as c on c.category = u.category
join practice_spread as p on p.category = u.category and p.is_now
join team_control as k on k.moment_at = p.moment_at and k.control = c.control and k.source = 'practices'
    and k.team_id = u.team_id
left join (
    select category, approach, min(title) as title
    from input.practice_approach group by category, approach
) as a on a.category = u.category and a.approach = u.approach
left join team_standard as g on g.category = u.category and g.team_id = u.team_id
where not r.is_fork and not r.is_mirror and r.archived_at is null and not r.is_archived
