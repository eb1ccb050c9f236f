-- One row per moment, control, source and team: what the live scans show of it. Of the practice
-- inventory the approaches found in the team's repositories, of a scanner whether its rules pass.
-- A rule counts where a result says pass or fail, or the run lists it; absence is no pass.
-- key: moment_at, control, source, team_id
-- not null: approaches
-- references: team_id -> team.team_id
with used as (
    select m.moment_at, i.control, 'practices' as source, u.team_id,
        list_sort(list(distinct u.approach)) as approaches, count(distinct u.path) as files,
        min(u.repository_key || ' ' || u.path || ':' || u.at_line) as evidence
    from configuration_moment as m
    join standing_scan as s on s.from_at <= m.moment_at and (s.until_at is null or s.until_at > m.moment_at)
    join practice_use as u on u.scan_id = s.scan_id
    join team_scope as t on t.moment_at = m.moment_at and t.team_id = u.team_id
    join repository as r on r.repository_key = u.repository_key
    join input.control as i on i.category = u.category
    where not r.is_fork and not r.is_mirror and (r.archived_at is null or r.archived_at > m.moment_at)
    group by m.moment_at, i.control, u.team_id
),
finding as (
    select f.scan_id, a.repository_key, lower(f.tool) as tool, k.control, f.seen_at, f.path,
        f.at_line, f.is_pass or f.is_suppressed as is_pass
    from records.finding as f
    join repository_alias as a on a.alias = f.repository_key
    join input.control_rule as k
        on regexp_full_match(lower(f.rule), k.rule) and regexp_full_match(lower(f.tool), k.tool)
    where f.is_pass is not null and f.deleted_at is null
),
scan as (
    select distinct a.repository_key, lower(f.tool) as tool, f.scan_id, f.seen_at
    from records.finding as f
    join repository_alias as a on a.alias = f.repository_key
    where f.deleted_at is null
),
latest as (
    select m.moment_at, s.repository_key, s.tool, max((s.seen_at, s.scan_id)) as newest
    from configuration_moment as m
    join scan as s on s.seen_at <= m.moment_at
    group by m.moment_at, s.repository_key, s.tool
),
scanned as (
    select l.moment_at, f.control, f.tool as source, v.team_id,
        [case when bool_and(f.is_pass) then 'passes' else 'fails' end] as approaches,
        count(distinct f.path) filter (where f.path <> '') as files,
        min(f.repository_key || ' ' || f.path || ':' || f.at_line)
            filter (where not f.is_pass and f.path <> '') as evidence
    from latest as l
    join finding as f on f.repository_key = l.repository_key and f.tool = l.tool
        and f.scan_id = l.newest[2]
    join (select distinct repository_key, team_id from service) as v
        on v.repository_key = f.repository_key
    join team_scope as t on t.moment_at = l.moment_at and t.team_id = v.team_id
    group by l.moment_at, f.control, f.tool, v.team_id
),
united as (select * from used union all select * from scanned)
select u.moment_at, u.control, u.source, u.team_id, u.approaches,
    cast(u.files as bigint) as files, u.evidence,
    e.control is not null as is_excepted, e.reason as exception, e.until_at as exception_until
from united as u
left join control_exception as e
    on e.control = u.control and e.team = u.team_id
    and (e.from_at is null or e.from_at <= u.moment_at) and (e.until_at is null or e.until_at > u.moment_at)
