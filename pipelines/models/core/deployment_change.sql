-- One row per change, service and environment it went live in. Environment '' is production as a
-- whole, the earliest of its environments. By which deployment, and whether that deployment
-- shipped it, was the first seen there (baseline), or is only known within an interval, because
-- a deployment in between is unresolved. When a rollback first took it out of there, and since
-- when it is live there again (null while it is not).
-- key: change_id, service_id, environment
-- not null: live_at
-- check: live_again_at is null or live_again_at > rolled_back_at
-- references: change_id -> change.change_id; deployment_id -> related_deployment.deployment_id
with several as (
    select change_id from change_key group by change_id having count(*) > 1
),
carried as (
    select k.change_id, s.service_id, s.environment, k.commit_no, s.deployment_id,
        s.relation, d.live_at, d.is_production,
        case when s.environment = '' then d.unresolved_in_production_at
            else d.unresolved_before_at end as unresolved_before_at
    from change_key as k
    join shipment as s on s.commit_no = k.commit_no
    join related_deployment as d on d.deployment_id = s.deployment_id
    join change_service as v on v.change_id = k.change_id and v.service_id = s.service_id
),
first_live as (
    -- Of one commit there is one arrival; only where several ship a change the first is looked for.
    select * from carried where change_id not in (select change_id from several)
    union all
    select *
    from carried
    where change_id in (select change_id from several)
    qualify row_number() over (
        partition by change_id, service_id, environment order by live_at, deployment_id) = 1
),
touched as (
    select distinct c.change_id, c.service_id
    from carried as c
    join undone_commit as u on u.service_id = c.service_id and u.environment = c.environment
        and u.commit_no = c.commit_no
),
presence as (
    -- From when to when each commit of a change was live in each environment.
    select c.change_id, c.service_id, c.environment, c.is_production, c.live_at,
        u.rolled_back_at, u.live_again_at
    from carried as c
    join touched as t on t.change_id = c.change_id and t.service_id = c.service_id
    left join undone_commit as u on u.service_id = c.service_id and u.environment = c.environment
        and u.commit_no = c.commit_no
    where c.environment <> ''
),
placed as (
    select change_id, service_id, environment, live_at, rolled_back_at, live_again_at from presence
    union all
    select change_id, service_id, '', live_at, rolled_back_at, live_again_at
    from presence where is_production
),
gone as (
    -- It is gone when nothing of it is live any more.
    select p.change_id, p.service_id, p.environment, min(p.rolled_back_at) as rolled_back_at
    from placed as p
    where p.rolled_back_at is not null and not exists (
        select 1 from placed as q
        where q.change_id = p.change_id and q.service_id = p.service_id
            and q.environment = p.environment and q.live_at <= p.rolled_back_at
            and (q.rolled_back_at is null or q.rolled_back_at > p.rolled_back_at
                or q.live_again_at <= p.rolled_back_at))
    group by p.change_id, p.service_id, p.environment
),
back as (
    select g.change_id, g.service_id, g.environment, any_value(g.rolled_back_at) as rolled_back_at,
        min(case when p.live_at > g.rolled_back_at then p.live_at
            when p.live_again_at > g.rolled_back_at then p.live_again_at end) as live_again_at
    from gone as g
    join placed as p on p.change_id = g.change_id and p.service_id = g.service_id
        and p.environment = g.environment
    group by g.change_id, g.service_id, g.environment
)
select
    f.change_id, f.service_id, f.environment, f.deployment_id, f.live_at,
    case
        when f.relation = 'baseline' then 'baseline'
        when c.merged_at < f.unresolved_before_at then 'interval_censored'
        else 'shipped'
    end as relation,
    b.rolled_back_at, b.live_again_at
from first_live as f
join change as c on c.change_id = f.change_id
left join back as b on b.change_id = f.change_id and b.service_id = f.service_id
    and b.environment = f.environment
