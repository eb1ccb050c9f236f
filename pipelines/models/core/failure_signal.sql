-- One row per sign that a production deployment failed: what says so, how sure it is, and the
-- deployment that mended it where the sign names one. Primary signs are those of high and medium confidence; incidents linked by time alone are none where deployments reach over half of the time.
-- key: signal_id
-- not null: deployment_id, link_method, confidence, subject, evidence, is_primary
-- references: deployment_id -> deployment.deployment_id
with counted as (
    select deployment_id, service_id, environment, sha, kind, outcome, url, live_at,
        ended_at, coalesce(release, left(sha, 10), ref, 'another deployment') as version,
        lead(deployment_id) over each_place as next_deployment_id
    from deployment
    where is_counted
    window each_place as (partition by service_id, environment order by live_at, deployment_id)
),
relation as (
    select r.deployment_id, r.failed_deployment_id,
        -- A redeploy is no deployment of its own: the one whose commit it repeats is meant.
        coalesce(l.deployment_id, b.original_id) as live_deployment_id
    from deployment as r
    left join counted as l on l.deployment_id = r.live_deployment_id
    left join (
        select e.deployment_id, arg_max(d.deployment_id, (d.live_at, d.deployment_id)) as original_id
        from deployment as e
        join counted as d on d.service_id = e.service_id and d.environment = e.environment
            and d.sha = e.sha and d.live_at <= e.live_at
        where e.kind = 'redeploy'
        group by e.deployment_id
    ) as b on b.deployment_id = r.live_deployment_id
),
rolled_back as (
    select f.deployment_id, 'rollback' as link_method, 'high' as confidence, d.live_at as moment,
        d.deployment_id as subject, d.url as subject_url,
        'rolled back to ' || d.version as evidence, d.deployment_id as mending_deployment_id
    from counted as d
    join relation as r on r.deployment_id = d.deployment_id
    join counted as f on f.deployment_id = r.failed_deployment_id
    where d.kind = 'rollback'
),
reverting as (
    select distinct v.repository_key, v.sha, v.reverted_sha, c.change_id, c.title, c.url
    from revert as v
    left join change_commit as m on m.commit_no = v.commit_no
    left join change as c
        on c.change_id = coalesce(m.change_request_id, 'commit:' || v.repository_key || ':' || v.sha)
),
taken as (
    select repository_key, sha, commit_no from revert
    union
    select repository_key, reverted_sha, reverted_no from revert
),
owned as (
    select t.repository_key, t.sha, c.change_id
    from taken as t
    left join change_commit as m on m.commit_no = t.commit_no
    join change as c
        on c.change_id = coalesce(m.change_request_id, 'commit:' || t.repository_key || ':' || t.sha)
    where c.kind not in ('stacked', 'promotion', 'backport')
),
arrived as (
    -- A change goes live once, with its back-ports, and only with services whose paths it touches;
    -- what is known as no change of its own goes live as its commit does.
    select o.repository_key, o.sha, l.service_id, l.environment, l.deployment_id
    from owned as o
    join deployment_change as l on l.change_id = o.change_id
    where l.environment <> '' and l.relation = 'shipped'
    union
    select t.repository_key, t.sha, x.service_id, x.environment, x.deployment_id
    from taken as t
    join shipment as x on x.commit_no = t.commit_no
    left join owned as o on o.repository_key = t.repository_key and o.sha = t.sha
    where o.sha is null and x.environment <> '' and x.relation = 'shipped'
),
reverted as (
    select f.deployment_id, d.deployment_id as mending_deployment_id, d.live_at as moment,
        arg_min(coalesce(v.change_id, v.sha), (v.sha, v.reverted_sha, v.change_id)) as subject,
        arg_min(v.url, (v.sha, v.reverted_sha, v.change_id)) as subject_url,
        arg_min(coalesce(v.title, left(v.sha, 10)), (v.sha, v.reverted_sha, v.change_id)) as title
    from reverting as v
    join arrived as x on x.repository_key = v.repository_key and x.sha = v.reverted_sha
    join arrived as y on y.repository_key = v.repository_key and y.sha = v.sha
        and y.service_id = x.service_id and y.environment = x.environment
    join counted as f on f.deployment_id = x.deployment_id
    join counted as d on d.deployment_id = y.deployment_id
    cross join input.measure as p
    where f.deployment_id <> d.deployment_id
        and d.live_at between f.live_at and f.live_at + to_microseconds(p.revert_us)
    group by f.deployment_id, d.deployment_id, d.live_at
),
hotfixed as (
    -- After a rollback the hotfix mends what was rolled back, not the return to what worked.
    select distinct h.deployment_id as hotfix_id,
        case when f.kind = 'rollback' then coalesce(b.failed_deployment_id, f.deployment_id)
            else f.deployment_id end as deployment_id
    from counted as h
    join relation as r on r.deployment_id = h.deployment_id
    join counted as f on f.deployment_id = r.live_deployment_id
    left join relation as b on b.deployment_id = f.deployment_id
    where h.kind = 'hotfix'
),
signal as (
    select * from rolled_back
    union all by name
    select deployment_id, 'revert' as link_method, 'high' as confidence, moment, subject, subject_url,
        'a change it shipped was taken back: ' || title as evidence, mending_deployment_id
    from reverted
    union all by name
    select f.deployment_id, 'hotfix' as link_method, 'medium' as confidence, h.live_at as moment,
        h.deployment_id as subject, h.url as subject_url,
        'mended by the hotfix ' || h.version as evidence, h.deployment_id as mending_deployment_id
    from hotfixed as x
    join counted as f on f.deployment_id = x.deployment_id
    join counted as h on h.deployment_id = x.hotfix_id
    cross join input.measure as p
    where h.live_at between f.live_at and f.live_at + to_microseconds(p.hotfix_us)
    union all by name
    select l.deployment_id, l.link_method, l.confidence, i.started_at as moment,
        i.incident_id as subject, i.url as subject_url,
        case l.link_method
            when 'incident_reference' then 'an incident names it: '
            when 'incident_time' then 'an incident of the service began soon after: '
            else 'an incident of the team began soon after: '
        end || coalesce(i.title, i.incident_id) as evidence,
        null as mending_deployment_id
    from incident_link as l
    join incident as i on i.incident_id = l.incident_id
    where l.deployment_id is not null
    union all by name
    select d.deployment_id, 'status' as link_method, 'high' as confidence,
        coalesce(d.ended_at, d.live_at) as moment, d.deployment_id as subject,
        d.url as subject_url, 'its status became failed after it had succeeded' as evidence,
        d.next_deployment_id as mending_deployment_id
    from counted as d
    -- One without any success was live from its end only because an incident names it.
    where d.outcome = 'failed_after_live' and d.live_at < d.ended_at
)
select
    s.link_method || ':' || s.subject || '>' || s.deployment_id
        || coalesce('>' || s.mending_deployment_id, '') as signal_id,
    s.deployment_id, s.link_method, s.confidence, s.moment as at, s.subject, s.subject_url, s.evidence,
    s.mending_deployment_id,
    s.confidence in ('high', 'medium')
        and (s.link_method <> 'incident_time' or coalesce(c.is_time_used, true)) as is_primary
from signal as s
join deployment as d on d.deployment_id = s.deployment_id
left join (
    select v.service_id, v.is_time_used
    from incident_coverage as v
    join input.period as p on p.period = v.period and p.period_start = v.period_start
    where v.period = '91d' and v.environment = 'production' and p.is_current
) as c on c.service_id = d.service_id
