-- One row per service and attempt that is a tag or release of a second name: on a commit that has
-- one of no earlier version already, like `v0.12.0` for the modules of `v3.12.0`; or shorter than
-- one before it, like `v3`, which moves on with each `v3.12.0`. Of names made within the hour of
-- the first the shortest is the name. A later version on an earlier commit takes back what lies
-- between, and counts.
-- kept: while building
-- key: service_id, attempt_id
with first_of_commit as (
    select *, min(started_at) over (partition by service_id, environment, sha) as named_at
    from release_version
),
compared as (
    select *, first_value(attempt_id) over its_names as name_id,
        first_value(version) over its_names as name_version
    from first_of_commit
    window its_names as (
        partition by service_id, environment, sha
        order by started_at > named_at + interval 60 minute, length(release), started_at, attempt_id)
),
shortened as (
    select service_id, environment, family, version[:parts] as version, min(started_at) as since
    from (select *, unnest(range(1, len(version))) as parts from release_version)
    group by all
)
select c.service_id, c.attempt_id
from compared as c
left join shortened as s on s.service_id = c.service_id and s.environment = c.environment
    and s.family = c.family and s.version = c.version
where (c.attempt_id <> c.name_id and (c.version <= c.name_version or c.version <= c.latest))
    or coalesce(s.since < c.started_at, false)
