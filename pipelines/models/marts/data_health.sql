-- One row per connection and stream: when it last succeeded, what it gave, what it could not read.
-- key: connection, stream
with rejected as (
    select connection, stream, count(*) as rejects from records.reject group by connection, stream
),
loaded as (
    select b.connection, b.stream, sum(c.rows) as rows
    from records.load_count as c
    join records.loaded_batch as b on b.batch_id = c.batch_id
    group by b.connection, b.stream
)
select
    s.connection, s.kind, s.stream, s.scopes, s.failing, s.last_success_at, s.last_full_at,
    s.last_error, cast(coalesce(l.rows, 0) as bigint) as rows, coalesce(r.rejects, 0) as rejects,
    s.requests, s.coverage_from, s.last_success_at as coverage_to,
    epoch_us(b.as_of_latest) - epoch_us(s.last_success_at) as lag_us
from input.source as s
cross join (select max(last_success_at) as as_of_latest from input.source) as b
left join rejected as r on r.connection = s.connection and r.stream = s.stream
left join loaded as l on l.connection = s.connection and l.stream = s.stream
