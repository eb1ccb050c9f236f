-- One row per account of a human, service and stint: days on which a change of the service that
-- they wrote or merged was merged, or on which they triggered one of its production deployments,
-- no 30 days apart. Excluded changes do not count. An account that no source describes stands for
-- itself.
-- key: account_id, service_id, first_on
-- not null: person_id, likely_person_id, is_resolved, last_on
-- check: first_on <= last_on
-- references: service_id -> service.service_id
with counted as (
    select c.change_id, c.author, r.merged_by, c.merged_at
    from change as c
    left join records.change_request as r on r.change_request_id = c.change_id
    where c.exclusion is null
),
deployed as (
    select s.service_id, coalesce(d.actor, r.actor, j.actor) as account_id, s.started_at as moment
    from service_attempt as s
    left join records.deployment_attempt as d on d.attempt_id = s.attempt_id
    left join records.pipeline_run as r on r.run_id = s.attempt_id
    left join (
        select b.job_id, p.actor
        from records.pipeline_job as b
        join records.pipeline_run as p on p.run_id = b.run_id
    ) as j on j.job_id = s.attempt_id
    where is_production(s.environment)
),
active as (
    select x.service_id, c.author as account_id, c.merged_at as moment
    from counted as c join change_service as x on x.change_id = c.change_id
    union all
    select x.service_id, c.merged_by, c.merged_at
    from counted as c join change_service as x on x.change_id = c.change_id
    union all
    select service_id, account_id, moment from deployed
),
day as (
    select distinct a.account_id, a.service_id, cast(timezone(k.zone, a.moment) as date) as active_on
    from active as a
    cross join input.clock as k
    where a.account_id is not null and a.moment <= k.as_of
),
spaced as (
    select *,
        coalesce(active_on - lag(active_on) over each_pair > 30, true) as is_first,
        coalesce(lead(active_on) over each_pair - active_on > 30, true) as is_last
    from day
    window each_pair as (partition by account_id, service_id order by active_on)
),
stint as (
    -- The days between are gone: what follows a first day is the last one of its stint.
    select account_id, service_id, is_first, active_on as first_on,
        case when is_last then active_on
            else lead(active_on) over (partition by account_id, service_id order by active_on)
        end as last_on
    from spaced
    where is_first or is_last
)
select t.account_id, t.service_id, t.first_on, t.last_on,
    coalesce(p.person_id, 'account:' || t.account_id) as person_id,
    coalesce(p.likely_person_id, 'account:' || t.account_id) as likely_person_id,
    coalesce(p.method, 'alone') <> 'alone' as is_resolved
from stint as t
left join account_person as p on p.account_id = t.account_id
where t.is_first and not coalesce(p.is_bot, ends_with(t.account_id, '[bot]'))
