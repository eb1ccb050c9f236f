-- One row per threshold and ISO week with a value: what that week alone shows, for forecasts;
-- weeks never overlap. joins, leaves: engineers who came and went (shared_infrastructure only).
-- key: threshold, week
-- not null: value, n
-- check: threshold in ('setup_time', 'shared_infrastructure', 'requests')
-- check: (joins is null) = (leaves is null)
select cast(null as varchar) as threshold, cast(null as date) as week,
    cast(null as double) as value, cast(null as bigint) as n, cast(null as bigint) as joins,
    cast(null as bigint) as leaves
where false
union all
select threshold, week, value, n, joins, leaves from setup_week
union all
select threshold, week, value, n, joins, leaves
from request_week
union all by name
select * from shared_week
