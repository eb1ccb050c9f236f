-- One row per attempt whose source had forgotten some before it when it was pulled: their numbers
-- are left out in the series. How many there were is known, and nothing else.
-- kept: while building
-- key: attempt_id
-- not null: series, number, missed
-- check: missed > 0
with numbered as (
    select distinct connection, series, number
    from records.deployment_attempt
    where deleted_at is null and series is not null and number is not null
),
followed as (
    select connection, series, number,
        number - lag(number) over (partition by connection, series order by number) - 1 as missed
    from numbered
)
select d.attempt_id, f.series, f.number, f.missed
from followed as f
join records.deployment_attempt as d
    on d.connection = f.connection and d.series = f.series and d.number = f.number
where f.missed > 0 and d.deleted_at is null
