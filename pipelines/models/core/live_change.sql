-- One row per change, service and slice of its production the change went live in, with its
-- durations in microseconds. What is negative is a fault of some clock and has none.
-- key: change_id, service_id, environment
-- not null: deployment_id, live_at, relation
-- check: lead_time_us is null or lead_time_us >= 0
select
    l.change_id, l.service_id, s.environment, l.deployment_id, l.live_at, l.relation, c.is_bot,
    c.exclusion,
    case when l.relation = 'shipped' and l.live_at >= c.start_at
        then epoch_us(l.live_at) - epoch_us(c.start_at) end as lead_time_us,
    case when l.relation = 'shipped' and l.live_at >= c.start_at
        then live_work.worked_us - start_work.worked_us end as business_lead_time_us,
    case when l.relation = 'shipped' and l.live_at >= c.merged_at
        then epoch_us(l.live_at) - epoch_us(c.merged_at) end as merge_to_live_us,
    case when l.relation = 'shipped' and l.live_at >= c.opened_at
        then epoch_us(l.live_at) - epoch_us(c.opened_at) end as open_to_live_us,
    -- Of what a rollback took out, up to when it was live to stay.
    case when l.relation = 'shipped' and l.live_at >= c.start_at
            and (l.rolled_back_at is null or l.live_again_at is not null)
        then epoch_us(coalesce(l.live_again_at, l.live_at)) - epoch_us(c.start_at) end as lasting_us
from deployment_change as l
join service_slice as s on s.service_id = l.service_id and s.place = l.environment
join change as c on c.change_id = l.change_id
left join work_time as start_work on start_work.moment = c.start_at
left join work_time as live_work on live_work.moment = l.live_at
