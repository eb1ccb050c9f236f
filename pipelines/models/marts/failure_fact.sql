-- One row per production deployment with a sign of failure, with names, evidence and recovery,
-- ready to show.
-- key: deployment_id
-- not null: service_name, confidence, signs
with worded as (
    select s.deployment_id, s.signal_id, s.at as moment, s.evidence, s.subject_url,
        case s.link_method
            when 'rollback' then 'rolled back'
            when 'revert' then 'reverted'
            when 'hotfix' then 'hotfix followed'
            when 'status' then 'failed after it was live'
            when 'incident_reference' then 'named by an incident'
            when 'incident_time' then 'incident soon after'
            else 'incident of the team soon after'
        end as sign
    from failure_signal as s
),
told as (
    select deployment_id,
        list(evidence order by moment, signal_id) as evidence,
        list(subject_url order by moment, signal_id) filter (where subject_url is not null) as urls,
        array_to_string(list_sort(list_distinct(list(sign))), ', ') as signs
    from worded
    group by deployment_id
)
select
    f.*, s.name as service_name, s.team_id, m.name as team_name, d.kind, d.outcome,
    coalesce(d.release, left(d.sha, 7), d.ref) as version, d.url as deployment_url,
    t.signs, t.evidence, coalesce(t.urls, []::varchar[]) as evidence_urls,
    f.live_at > k.as_of - to_microseconds(p.maturity_us) as is_immature
from failure as f
join deployment as d on d.deployment_id = f.deployment_id
join service as s on s.service_id = f.service_id
join told as t on t.deployment_id = f.deployment_id
cross join input.clock as k
cross join input.measure as p
left join team as m on m.team_id = s.team_id
