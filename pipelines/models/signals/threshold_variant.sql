-- One row per threshold, evaluation and alternative definition: what that definition would have
-- measured, and its state then; whether the verdict hangs on the definition is told by these.
-- key: threshold, evaluated_at, variant
-- not null: state
-- check: threshold in ('setup_time', 'shared_infrastructure', 'configuration', 'requests')
-- check: state in ('crossed', 'clear', 'not applicable', 'insufficient', 'trending')
-- check: ci_low is null or ci_high is null or ci_low <= ci_high
select cast(null as varchar) as threshold, cast(null as timestamptz) as evaluated_at,
    cast(null as varchar) as variant, cast(null as double) as value,
    cast(null as double) as ci_low, cast(null as double) as ci_high, cast(null as bigint) as n,
    cast(null as varchar) as state
where false
union all
select threshold, evaluated_at, variant, value, ci_low, ci_high, n, state from setup_variant
union all
select threshold, evaluated_at, variant, value, ci_low, ci_high, n, state
from request_variant
union all
select threshold, evaluated_at, variant, value, ci_low, ci_high, n, state
from configuration_variant
union all by name
select * from shared_variant
