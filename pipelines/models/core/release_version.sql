-- One row per service and attempt that is a tag or release, with its version: `family` is the name
-- without numbers, `latest` the highest version among the thirty of that family before it (a slip,
-- or a scheme that was given up, does not count for ever).
-- kept: while building
-- key: service_id, attempt_id
-- not null: version
with versioned as (
    select service_id, environment, sha, attempt_id, started_at, release,
        regexp_replace(release, '\d+([._-]\d+)*', '#', 'g') as family,
        list_transform(regexp_extract_all(release, '\d{1,18}'), lambda part: part::bigint)
            as version
    from service_attempt
    where origin in ('tag', 'release') and sha is not null
)
select *,
    max(version) over (
        partition by service_id, environment, family order by started_at, attempt_id
        rows between 30 preceding and 1 preceding) as latest
from versioned
