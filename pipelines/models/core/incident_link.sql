-- One row per incident, with the deployment it is linked to: one it names, else the latest of its
-- service that was live when it began, within the time after going live that the settings give, else one then on its way. Each incident links once; those linked to none say why.
-- key: incident_id
-- references: incident_id -> incident.incident_id; deployment_id -> deployment.deployment_id
-- check: (deployment_id is null) <> (reason is null)
-- check: (deployment_id is null) = (link_method is null)
with counted as (
    select d.deployment_id, d.service_id, d.environment, d.repository_key, d.sha, d.release, d.ref,
        d.url, d.started_at, d.live_at, s.team_id
    from deployment as d
    join service as s on s.service_id = d.service_id
    where d.is_counted
),
asked as (
    select i.incident_id, i.service_id, i.team_id, i.started_at, i.resolved_at, s.repository_key
    from incident as i
    left join service as s on s.service_id = i.service_id
),
named_attempt as (
    select r.incident_id, d.deployment_id, d.kind, d.service_id, d.environment, d.sha, d.live_at
    from incident_reference as r
    join deployment as d on split_part(d.deployment_id, '|', 2) = r.reference
    where r.kind = 'given' and d.live_at is not null
    union all
    select r.incident_id, d.deployment_id, d.kind, d.service_id, d.environment, d.sha, d.live_at
    from incident_reference as r
    join deployment as d on d.deployment_id = r.reference
    where r.kind = 'given' and d.live_at is not null
    union all
    select r.incident_id, d.deployment_id, d.kind, d.service_id, d.environment, d.sha, d.live_at
    from incident_reference as r
    join deployment as d on rtrim(d.url, '/') = r.reference
    where r.kind = 'url' and d.live_at is not null
),
named_sha as (
    select incident_id, reference as sha from incident_reference where kind = 'sha'
    union
    select r.incident_id, f.sha
    from incident_reference as r
    join asked as i on i.incident_id = r.incident_id
    join repository_alias as a on a.repository_key = i.repository_key
    join records.reference as f
        on f.repository_key = a.alias and f.kind = 'tag' and f.name = r.reference
    where r.kind in ('tag', 'given')
),
named_change as (
    select r.incident_id, c.change_id
    from incident_reference as r
    join change as c on c.url = r.reference
    where r.kind in ('url', 'given')
    union
    select r.incident_id, c.change_id
    from incident_reference as r
    join asked as i on i.incident_id = r.incident_id
    join change as c on c.repository_key = i.repository_key
        and c.number = try_cast(r.reference as bigint)
    where r.kind = 'number'
),
named as (
    select incident_id, deployment_id from named_attempt where kind <> 'redeploy'
    union
    -- A redeploy is no deployment of its own: the one whose commit it repeats is meant.
    select n.incident_id, d.deployment_id
    from named_attempt as n
    join counted as d on d.service_id = n.service_id and d.environment = n.environment
        and d.sha = n.sha and d.live_at <= n.live_at
    where n.kind = 'redeploy'
    union
    select n.incident_id, d.deployment_id
    from named_sha as n
    join asked as i on i.incident_id = n.incident_id
    join counted as d on substr(d.sha, 1, 7) = substr(n.sha, 1, 7) and starts_with(d.sha, n.sha)
        and (d.service_id = i.service_id or len(n.sha) = 40)
    union
    select n.incident_id, d.deployment_id
    from named_sha as n
    join asked as i on i.incident_id = n.incident_id
    join known_commit as c on substr(c.sha, 1, 7) = substr(n.sha, 1, 7) and starts_with(c.sha, n.sha)
    join shipment as p on p.commit_no = c.commit_no
        and (p.service_id = i.service_id or len(n.sha) = 40)
    join counted as d on d.deployment_id = p.deployment_id
    where p.environment <> '' and p.relation = 'shipped'
    union
    select r.incident_id, d.deployment_id
    from incident_reference as r
    join asked as i on i.incident_id = r.incident_id
    join counted as d on d.service_id = i.service_id and r.reference in (d.release, d.ref)
    where r.kind in ('tag', 'given')
    union
    select n.incident_id, l.deployment_id
    from named_change as n
    join live_change as l on l.change_id = n.change_id and l.environment = 'production'
        and l.relation = 'shipped'
),
explicit as (
    -- What was deployed after the incident began is what mended it, and no cause. Of several
    -- services that a name fits, the incident's own is meant.
    select n.incident_id, count(*) as named,
        count(*) filter (where d.started_at <= i.started_at) as usable,
        arg_max(d.deployment_id, (
            coalesce(d.service_id = i.service_id, false), d.live_at <= i.started_at, d.live_at,
            d.deployment_id)) filter (where d.started_at <= i.started_at) as deployment_id
    from named as n
    join asked as i on i.incident_id = n.incident_id
    join counted as d on d.deployment_id = n.deployment_id
    group by n.incident_id
),
place as (
    select i.incident_id, i.service_id as scope, i.started_at, 'incident_time' as link_method,
        epoch_us(i.started_at) // p.incident_window_us as slot
    from asked as i
    cross join input.measure as p
    where i.service_id is not null
    union all
    select i.incident_id, i.team_id, i.started_at, 'incident_team',
        epoch_us(i.started_at) // p.incident_window_us
    from asked as i
    cross join input.measure as p
    where i.service_id is null and i.team_id is not null and p.has_team_links
),
near as (
    select service_id as scope, deployment_id, started_at, live_at from counted
    where service_id in (select scope from place)
    union all
    select team_id, deployment_id, started_at, live_at from counted
    where team_id in (select scope from place)
),
reach as (
    -- Time is cut into slots as long as the window, so that equal slots can be joined: a
    -- deployment reaches into two or three of them, however many deployments a service has.
    select n.scope, n.deployment_id, n.started_at, n.live_at,
        n.live_at + to_microseconds(p.incident_window_us) as until_at,
        unnest(range(
            epoch_us(n.started_at) // p.incident_window_us,
            epoch_us(n.live_at) // p.incident_window_us + 2)) as slot
    from near as n
    cross join input.measure as p
),
timed as (
    select p.incident_id, p.link_method, count(*) as candidates,
        arg_max(r.deployment_id, (
            r.live_at <= p.started_at,
            case when r.live_at <= p.started_at then r.live_at else r.started_at end,
            r.deployment_id)) as deployment_id
    from place as p
    join reach as r on r.scope = p.scope and r.slot = p.slot
        and p.started_at >= r.started_at and p.started_at <= r.until_at
    group by p.incident_id, p.link_method
),
chosen as (
    select i.incident_id, i.service_id, i.team_id, i.started_at, i.resolved_at,
        coalesce(e.deployment_id, t.deployment_id) as deployment_id,
        case when e.deployment_id is not null then 'incident_reference'
            when t.deployment_id is not null then t.link_method end as link_method,
        coalesce(case when e.deployment_id is not null then e.usable end, t.candidates, 0) as candidates,
        coalesce(e.named, 0) > 0 and coalesce(e.usable, 0) = 0 as names_later_only
    from asked as i
    left join explicit as e on e.incident_id = i.incident_id
    left join timed as t on t.incident_id = i.incident_id
),
judged as (
    select c.*, d.deployment_id is not null
            and c.resolved_at < least(d.live_at, c.started_at) as is_over_before
    from chosen as c
    left join counted as d on d.deployment_id = c.deployment_id
)
select j.incident_id,
    case when not coalesce(j.is_over_before, false) then j.deployment_id end as deployment_id,
    case when not coalesce(j.is_over_before, false) then j.link_method end as link_method,
    case when coalesce(j.is_over_before, false) then null
        when j.link_method = 'incident_reference' then 'high'
        when j.link_method = 'incident_time' then 'medium'
        when j.link_method = 'incident_team' then 'low' end as confidence,
    case
        when j.is_over_before then 'rejected: it was over before the deployment was live'
        when j.deployment_id is not null then null
        when j.names_later_only then 'rejected: what it names was deployed after it began'
        when j.service_id is null and j.team_id is not null
            then 'names a team but no service that is known'
        when j.service_id is null then 'names no service that is known'
        when j.service_id not in (select service_id from counted)
            then 'its service has no deployments'
        else 'no deployment of its service in the time before it'
    end as reason,
    j.candidates::bigint as candidates,
    coalesce(j.is_over_before, false) or (j.deployment_id is null and j.names_later_only)
        as is_rejected
from judged as j
