-- One row per incident, with the deployment it is linked to or why to none, ready to show.
-- key: incident_id
-- not null: source, started_at
select
    i.incident_id, i.source, i.connection, i.title, i.severity, i.url, i.service_id,
    s.name as service_name, i.team_id, m.name as team_name, i.started_at, i.created_at,
    i.acknowledged_at, i.resolved_at, i.is_open,
    case when i.resolved_at >= i.started_at
        then epoch_us(i.resolved_at) - epoch_us(i.started_at) end as duration_us,
    l.deployment_id, ds.name as deployment_service_name, d.environment,
    coalesce(d.release, left(d.sha, 7), d.ref) as version, d.url as deployment_url,
    d.live_at, l.link_method, l.confidence, l.reason, l.candidates, l.is_rejected, i.refs
from incident as i
join incident_link as l on l.incident_id = i.incident_id
left join service as s on s.service_id = i.service_id
left join team as m on m.team_id = i.team_id
left join deployment as d on d.deployment_id = l.deployment_id
left join service as ds on ds.service_id = d.service_id
