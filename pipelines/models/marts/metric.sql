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
    union all select * from metric_change_fail_rate
    union all select * from metric_recovery
    union all select * from metric_rework
    union all select * from metric_waiting
    union all select * from metric_ticket_flow
),
placed as (
    select m.* exclude (is_partial), p.period_end, p.is_current,
        p.is_partial or m.is_partial as is_partial
    from every_metric as m
    join input.period as p on p.period = m.period and p.period_start = m.period_start
)
select
    p.metric, p.variant, p.entity_type, p.entity_id, p.environment, p.period, p.period_start, p.period_end,
    round_significant(p.value) as value, p.unit, p.n, p.services,
    -- least and greatest pass over NULL: an open end must stay open.
    case when p.ci_low is not null
        then least(round_significant(p.ci_low), round_significant(p.value)) end as ci_low,
    case when p.ci_high is not null
        then greatest(round_significant(p.ci_high), round_significant(p.value)) end as ci_high,
    p.method, p.reason,
    round_significant(b.value) as previous_value, b.n as previous_n,
    p.is_partial, coalesce(d.version, 1)::integer as definition_version, k.as_of
from placed as p
left join placed as b on b.entity_id = p.entity_id and b.entity_type = p.entity_type
    and b.metric = p.metric and b.variant = p.variant and b.environment = p.environment
    and b.period = p.period and b.period_end = p.period_start
left join (
    select name, max(version) as version from definition group by name
) as d on d.name = p.metric
cross join input.clock as k
where p.is_current
