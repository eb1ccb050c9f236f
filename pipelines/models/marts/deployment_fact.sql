-- One row per deployment, with what it shipped, ready to show.
-- key: deployment_id
-- not null: service_id, outcome
select
    d.deployment_id, d.service_id, s.name as service_name, s.team_id, m.name as team_name,
    d.environment, d.environment_class, d.kind, d.outcome, d.origin, d.sha, d.ref, d.release,
    d.attempts, d.started_at, d.live_at, coalesce(c.changes, 0) as changes,
    d.is_counted, d.is_resolved, d.is_baseline, d.is_after_gap, d.relation, d.dropped,
    d.live_deployment_id, d.failed_deployment_id, d.manifest_sha, d.url,
    case when d.is_counted then coalesce(f.is_primary, false) end as is_failed,
    f.confidence, f.recovery_us, w.state as rework_state, w.reason as rework_reason,
    d.is_counted and d.live_at > k.as_of - to_microseconds(p.maturity_us) as is_immature,
    case
        when d.live_at is null then 'never went live'
        when d.environment_class <> 'production' then 'not a production environment'
        when d.kind = 'redeploy' then 'the same commit was already live'
        when not d.is_resolved and d.sha is null then 'no commit is known'
        when not d.is_resolved then 'its commit is not in the repository''s history'
        when d.is_baseline then 'first deployment seen: what it holds was shipped before'
    end as reason
from deployment as d
join service as s on s.service_id = d.service_id
cross join input.clock as k
cross join input.measure as p
left join failure as f on f.deployment_id = d.deployment_id
left join rework as w on w.deployment_id = d.deployment_id
left join team as m on m.team_id = s.team_id
left join (
    select deployment_id, count(*) as changes from deployment_change
    where environment <> '' and relation <> 'baseline' group by deployment_id
) as c on c.deployment_id = d.deployment_id
