-- One row per change and service, with its way to production and its stages, ready to show.
-- Durations are microseconds; a change that is not live has no lead time.
-- key: change_id, service_id
-- not null: kind, relation, merged_at
-- check: lead_time_us is null or coalesce(coding_us, 0) + coalesce(pickup_us, 0) + coalesce(review_us, 0) + coalesce(merge_us, 0) + coalesce(deploy_us, 0) + coalesce(unreviewed_us, 0) = lead_time_us
-- check: lead_time_us is null or lead_time_us >= 0
with placed as (
    select c.*, s.service_id, l.deployment_id, l.live_at, l.rolled_back_at, l.live_again_at,
        coalesce(l.relation, 'not_live') as relation,
        least(c.merged_at, coalesce(l.live_at, c.merged_at)) as landed_at
    from change as c
    join change_service as s on s.change_id = c.change_id
    left join deployment_change as l
        on l.change_id = c.change_id and l.service_id = s.service_id and l.environment = ''
),
cut as (
    select *,
        case when kind in ('direct', 'merge') then landed_at
            else greatest(start_at, least(ready_at, landed_at)) end as c1
    from placed
),
cut_review as (
    -- greatest and least pass over NULL: what did not happen must stay NULL.
    select *,
        case when first_review_at is not null then greatest(c1, least(first_review_at, landed_at))
        end as c2
    from cut
),
cut_approval as (
    select *, case when c2 is not null and approved_at is not null then greatest(c2, least(approved_at, landed_at)) end as c3
    from cut_review
),
staged as (
    select *,
        relation = 'shipped' and live_at >= start_at and start_at >= '2000-01-01' as has_lead_time,
        epoch_us(landed_at) - epoch_us(c1) as waited_us
    from cut_approval
)
select
    t.change_id, t.kind, t.number, t.title, t.url, t.repository_key, r.name as repository_name,
    t.service_id, s.name as service_name, s.team_id, m.name as team_name,
    'production' as environment, t.relation, t.is_bot, t.exclusion,
    t.labels,
    t.start_at, t.ready_at, t.first_review_at, t.approved_at, t.merged_at, t.live_at,
    t.rolled_back_at, t.live_again_at,
    t.deployment_id, d.url as deployment_url,
    case when has_lead_time then epoch_us(t.live_at) - epoch_us(t.start_at) end as lead_time_us,
    case when has_lead_time then epoch_us(t.c1) - epoch_us(t.start_at) end as coding_us,
    case when has_lead_time then epoch_us(t.c2) - epoch_us(t.c1) end as pickup_us,
    case when has_lead_time then
        epoch_us(coalesce(t.c3, case when t.c2 is not null then t.landed_at end)) - epoch_us(t.c2)
    end as review_us,
    case when has_lead_time then epoch_us(t.landed_at) - epoch_us(t.c3) end as merge_us,
    case when has_lead_time then epoch_us(t.live_at) - epoch_us(t.landed_at) end as deploy_us,
    case when has_lead_time and t.c2 is null and t.kind not in ('direct', 'merge')
        then t.waited_us end as unreviewed_us,
    case when has_lead_time then live_work.worked_us - start_work.worked_us end
        as business_lead_time_us,
    list_filter([
        case when t.is_start_from_committer then 'started over 90 days before opening' end,
        case when t.is_without_commits then 'no commits known' end,
        case when t.live_at < t.merged_at then 'deployed before merge' end,
        case when t.relation = 'shipped' and t.live_at < t.start_at then 'live before it started' end,
        case when t.start_at < '2000-01-01' then 'dated before 2000' end,
        case when t.relation = 'shipped' and d.is_after_gap then 'after gap' end,
        case when t.rolled_back_at is not null then 'rolled back' end
    ], lambda flag: flag is not null) as flags
from staged as t
join repository as r on r.repository_key = t.repository_key
join service as s on s.service_id = t.service_id
left join team as m on m.team_id = s.team_id
left join deployment as d on d.deployment_id = t.deployment_id
left join work_time as start_work on start_work.moment = t.start_at
left join work_time as live_work on live_work.moment = t.live_at
