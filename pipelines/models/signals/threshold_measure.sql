-- One row per threshold and evaluation: what was measured then, of nothing but what was known up
-- to then; before hysteresis, hold and forecast. Each threshold makes its own table, they are
-- united here. value: a share of 0 to 1 (setup_time, requests), engineers (shared_infrastructure)
-- or audits with a finding (configuration). direction: where the estimate stands when it is too
-- close to call. missing: what to connect, in plain words.
-- key: threshold, evaluated_at
-- not null: measured_state, reason, missing
-- check: threshold in ('setup_time', 'shared_infrastructure', 'configuration', 'requests')
-- check: measured_state in ('crossed', 'clear', 'not applicable', 'insufficient', 'trending')
-- check: measured_state <> 'trending' or threshold = 'configuration'
-- check: measured_state <> 'not applicable' or evidence is not null
-- check: direction is null or direction in ('above', 'below')
-- check: ci_low is null or ci_high is null or ci_low <= ci_high
-- check: coverage is null or coverage between 0 and 1
select cast(null as varchar) as threshold, cast(null as timestamptz) as evaluated_at,
    cast(null as double) as value, cast(null as varchar) as unit, cast(null as double) as ci_low,
    cast(null as double) as ci_high, cast(null as double) as threshold_value,
    cast(null as bigint) as n, cast(null as varchar) as measured_state,
    cast(null as varchar) as direction, cast(null as varchar) as reason,
    cast(null as varchar[]) as missing, cast(null as varchar) as evidence,
    cast(null as double) as coverage, cast(null as varchar) as coverage_text,
    cast(null as varchar) as parameters
where false
union all
select threshold, evaluated_at, value, unit, ci_low, ci_high, threshold_value, n, measured_state,
    direction, reason, missing, evidence, coverage, coverage_text, parameters
from setup_measure
union all
select threshold, evaluated_at, value, unit, ci_low, ci_high, threshold_value, n, measured_state,
    direction, reason, missing, evidence, coverage, coverage_text, parameters
from request_measure
union all
select threshold, evaluated_at, value, unit, ci_low, ci_high, threshold_value, n, measured_state,
    direction, reason, missing, evidence, coverage, coverage_text, parameters
from configuration_measure
union all by name
select * from shared_measure
