-- One row per attempt without a success that an incident names: itself, by its id or address, or
-- the commit or release it brought. Where nothing else brought that, it was live after all.
-- kept: while building
-- key: attempt_id
with reference as (
    select distinct reference as name from incident_reference where kind <> 'number'
),
failed as (
    select attempt_id, url, sha, release from attempt where live_at is null and not is_absurd
),
named as (
    select f.attempt_id, true as is_itself from failed as f join reference as r on r.name = f.attempt_id
    union all
    select f.attempt_id, true from failed as f join reference as r on r.name = f.url
    union all
    select f.attempt_id, false from failed as f join reference as r on r.name = f.release
    union all
    select f.attempt_id, false
    from failed as f
    join reference as r on left(lower(r.name), 7) = left(f.sha, 7)
        and starts_with(f.sha, lower(r.name)) and length(r.name) >= 7
)
select attempt_id, bool_or(is_itself) as is_itself from named group by attempt_id
