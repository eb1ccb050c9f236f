-- One row per deployment that counts and slice it counts in, with the release it is part of: the
-- k-th deployment of a commit in each production environment of a service is one release.
-- key: environment, deployment_id
-- references: deployment_id -> deployment.deployment_id
with numbered as (
    select service_id, environment as place, deployment_id,
        coalesce(sha, deployment_id) || '#' || row_number() over (
            partition by service_id, environment, sha order by live_at, deployment_id
        ) as release_key
    from deployment
    where is_counted
)
select s.environment, n.deployment_id, n.service_id, n.release_key
from numbered as n
join service_slice as s on s.service_id = n.service_id
where s.place in ('', n.place)
