-- One row per goal that applies to a team, to one of its services or to the organisation, and
-- trailing period: whether it is met. A goal of the team's own goes before one for all teams; the
-- organisation has only the latter. Attained: the value and its whole interval meet the target; at
-- risk: the value does, the interval reaches past it or is open; missed: the value does not. The
-- state of the period before is told by its value alone (attained or missed).
-- key: metric, entity_type, entity_id, period
-- not null: target, target_text, direction, state
-- check: state in ('attained', 'at risk', 'missed', 'not enough data')
-- check: (value is null) = (state = 'not enough data')
-- check: (reason is null) = (state in ('attained', 'missed'))
-- check: meeting is null or meeting <= services
with goal as (
    select metric, 'team:' || lower(team) as team_id, round_significant(target) as target, unit,
        target_text, case metric when 'deployment_frequency' then 'at least' else 'at most' end as direction
    from input.goal
),
entity as (
    select 'team' as entity_type, team_id as entity_id, team_id, name from team
    union all
    select 'service', service_id, team_id, name from service
    union all
    select 'organisation', '', null, 'the organisation'
),
-- Of a metric there is at most one goal for all teams and one for each team (settings).
applied as (
    select coalesce(own.metric, general.metric) as metric, e.entity_type, e.entity_id, e.team_id,
        e.name, coalesce(own.target, general.target) as target,
        coalesce(own.unit, general.unit) as unit,
        coalesce(own.target_text, general.target_text) as target_text,
        coalesce(own.direction, general.direction) as direction
    from entity as e
    cross join (select distinct metric from goal) as m
    left join goal as own on own.metric = m.metric and own.team_id = e.team_id
    left join goal as general on general.metric = m.metric and general.team_id is null
    where own.metric is not null or general.metric is not null
),
-- The rework rate lies between what is known and what is possible: so does its interval.
headline as (
    select m.metric, m.entity_type, m.entity_id, m.period, m.value, m.ci_low, m.reason, m.previous_value,
        case when m.metric = 'deployment_rework_rate' then p.ci_high else m.ci_high end as ci_high
    from metric as m
    left join metric as p on m.metric = 'deployment_rework_rate' and p.metric = m.metric
        and p.variant = 'possible' and p.entity_type = m.entity_type and p.entity_id = m.entity_id
        and p.environment = m.environment and p.period = m.period and p.period_start = m.period_start
    where m.environment = 'production' and m.period <> 'week'
        and (m.metric, m.variant) in (
            ('deployment_frequency', 'per_week'), ('change_lead_time', 'median'),
            ('change_fail_rate', 'primary'), ('failed_deployment_recovery_time', 'median'),
            ('deployment_rework_rate', 'known'))
),
judged as (
    select a.*, p.period, h.value, h.ci_low, h.ci_high, h.reason, h.previous_value,
        case a.direction when 'at least' then h.value >= a.target
            else h.value <= a.target end as is_met,
        case a.direction when 'at least' then h.ci_low >= a.target
            else h.ci_high <= a.target end as is_sure,
        case a.direction when 'at least' then h.previous_value >= a.target
            else h.previous_value <= a.target end as was_met
    from applied as a
    join input.period as p on p.is_current and p.period <> 'week'
    left join headline as h on h.metric = a.metric and h.entity_type = a.entity_type
        and h.entity_id = a.entity_id and h.period = p.period
),
belonging as (
    select 'team' as entity_type, team_id as entity_id, service_id from service
    where team_id is not null
    union all
    select 'organisation', '', service_id from service
),
-- How many services meet the target of the team, or of the organisation: not one of their own.
counted as (
    select j.metric, j.entity_type, j.entity_id, j.period, count(h.value) as services,
        count(*) filter (where case j.direction when 'at least' then h.value >= j.target
            else h.value <= j.target end) as meeting
    from judged as j
    join belonging as s on s.entity_type = j.entity_type and s.entity_id = j.entity_id
    left join headline as h on h.metric = j.metric and h.period = j.period
        and h.entity_type = 'service' and h.entity_id = s.service_id
    group by j.metric, j.entity_type, j.entity_id, j.period
)
select
    j.metric, j.entity_type, j.entity_id, j.period, j.name, j.target, j.unit, j.target_text, j.direction,
    j.value, j.ci_low, j.ci_high,
    case
        when j.value is null then 'not enough data'
        when not j.is_met then 'missed'
        when j.is_sure then 'attained'
        else 'at risk'
    end as state,
    case
        when j.value is null then coalesce(j.reason, 'no service has this metric')
        when not j.is_met or j.is_sure then null
        when j.is_sure is null then 'too few data to bound the value on this side'
        else 'the interval reaches past the target'
    end as reason,
    case when j.entity_type <> 'service' then coalesce(c.meeting, 0) end as meeting,
    case when j.entity_type <> 'service' then coalesce(c.services, 0) end as services,
    case when j.was_met then 'attained' when not j.was_met then 'missed' end as previous_state,
    j.previous_value
from judged as j
left join counted as c on c.metric = j.metric and c.entity_type = j.entity_type
    and c.entity_id = j.entity_id and c.period = j.period
