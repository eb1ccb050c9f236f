-- One row per service and attempt that is a tag or release of a second name: on a commit that has
-- one of a later version already, like `v0.12.0` for the modules of `v3.12.0`; or shorter than one
-- before it, like `v3`, which moves on with each `v3.12.0`. A later version on an earlier commit
-- takes back what lies between, and counts.
-- kept: while building
-- key: service_id, attempt_id
with versioned as (
    select service_id, environment, sha, attempt_id, started_at,
        regexp_replace(release, '[\d._-]*$', '') as family,
        list_transform(regexp_extract_all(release, '\d{1,18}'), lambda part: part::bigint)
            as version
    from service_attempt
    where origin in ('tag', 'release') and sha is not null
),
compared as (
    select *,
        row_number() over (
            partition by service_id, environment, sha order by started_at, attempt_id) as name_no,
        max(version) over (
            partition by service_id, environment order by started_at, attempt_id
            rows between unbounded preceding and 1 preceding) as latest
    from versioned
),
shortened as (
    select service_id, environment, family, version[:parts] as version, min(started_at) as since
    from (select *, unnest(range(1, len(version))) as parts from versioned)
    group by all
)
select c.service_id, c.attempt_id
from compared as c
left join shortened as s on s.service_id = c.service_id and s.environment = c.environment
    and s.family = c.family and s.version = c.version
where (c.name_no > 1 and c.version <= c.latest) or coalesce(s.since < c.started_at, false)
