-- One row per service and attempt that a tool of syncs (Argo CD) tells as well: the forge's or a
-- file's in an environment of that name, from an hour before the first sync on. The sync says when
-- it was live; with both, one deployment would count twice.
-- kept: while building
-- key: service_id, attempt_id
with told as (
    select s.service_id, lower(s.environment) as environment, s.attempt_id, s.started_at,
        d.series is not null as is_sync
    from service_attempt as s
    join records.deployment_attempt as d on d.attempt_id = s.attempt_id
),
synced as (
    select service_id, environment, min(started_at) as since
    from told where is_sync group by service_id, environment
)
select t.service_id, t.attempt_id
from told as t
join synced as y on y.service_id = t.service_id and y.environment = t.environment
where not t.is_sync and t.started_at >= y.since - interval 60 minute
