-- One row per unit that services run on, or that the settings name: how many services and teams
-- run on it when the build speaks, and whether that makes it shared.
-- key: unit_id
-- not null: name, kind, services, teams, is_shared
-- check: kind in ('cluster', 'cloud account', 'runner pool', 'registry', 'terraform state')
with used as (
    select u.unit_id, count(distinct u.service_id) as services,
        count(distinct s.team_id) as teams, list_sort(list(distinct t.name)) as team_names
    from unit_use as u
    join service as s on s.service_id = u.service_id
    left join team as t on t.team_id = s.team_id
    cross join input.clock as k
    where u.from_on <= cast(timezone(k.zone, k.as_of) as date)
        and cast(timezone(k.zone, k.as_of) as date) <= u.until_on
    group by u.unit_id
),
known as (
    select unit_id, name, kind, source, 1 as distance from unit_use
    union all
    select kind || ':' || lower(trim(name)), trim(name), kind, 'settings', 0 from input.shared_unit
)
select n.unit_id,
    arg_min(n.name, (n.distance, n.name)) as name,
    min(n.kind) as kind,
    list_sort(list(distinct n.source)) as sources,
    coalesce(min(u.services), 0) as services,
    coalesce(min(u.teams), 0) as teams,
    coalesce(min(u.team_names), []::varchar[]) as team_names,
    coalesce(min(u.teams), 0) >= min(p.teams) as is_shared
from known as n
cross join input.shared_infrastructure as p
left join used as u on u.unit_id = n.unit_id
group by n.unit_id
