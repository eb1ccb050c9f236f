-- One row per metric, variant, entity, environment and period, with its interval, the equal period
-- before, and the reason where there is no value. What every page and report reads.
-- key: metric, variant, entity_type, entity_id, environment, period, period_start
-- not null: unit, method, as_of
-- check: (value is null) <> (reason is null)
-- check: ci_low is null or value is null or ci_low <= value
-- check: ci_high is null or value is null or ci_high >= value
with every_metric as (
    select * from metric_deployment_frequency
    union all select * from metric_lead_time
    union all select * from metric_waiting
    union all select * from metric_ticket_flow
),
placed as (
    select m.* exclude (is_partial), p.period_end, p.is_current,
        p.is_partial or m.is_partial as is_partial,
        lag(p.period_end) over each_series = p.period_start as is_next,
        lag(m.value) over each_series as value_before,
        lag(m.n) over each_series as n_before
    from every_metric as m
    join input.period as p on p.period = m.period and p.period_start = m.period_start
    window each_series as (
        partition by m.metric, m.variant, m.entity_type, m.entity_id, m.period
        order by m.period_start)
)
select
    p.metric, p.variant, p.entity_type, p.entity_id, 'production' as environment,
    p.period, p.period_start, p.period_end,
    round_significant(p.value) as value, p.unit, p.n, p.services,
    -- least and greatest pass over NULL: an open end must stay open.
    case when p.ci_low is not null
        then least(round_significant(p.ci_low), round_significant(p.value)) end as ci_low,
    case when p.ci_high is not null
        then greatest(round_significant(p.ci_high), round_significant(p.value)) end as ci_high,
    p.method, p.reason,
    case when p.is_next then round_significant(p.value_before) end as previous_value,
    case when p.is_next then p.n_before end as previous_n,
    p.is_partial, 1 as definition_version, k.as_of
from placed as p
cross join input.clock as k
where p.is_current
