-- One row per whole week: requests to the infrastructure team, the engineers of other teams they come from, and the requests open at its end with their median age.
-- Requests per engineer-week tell demand from growth; an engineer counts from when they were first seen.
-- key: week
-- not null: requests, open_requests
-- check: (median_age_us is null) = (open_requests = 0)
with whole as (
    select p.period_start as week, p.start_at, p.end_at
    from input.period as p
    where p.period = 'week' and not p.is_partial
        and p.end_at > (select min(created_at) from records.ticket where deleted_at is null)
),
request as (
    select f.ticket_id, f.created_at, f.is_open,
        case when not f.is_open then coalesce(f.resolved_at, f.created_at) end as resolved_at
    from ticket_fact as f
    join ticket_class as c on c.ticket_id = f.ticket_id
        and c.is_infrastructure and c.class = 'request'
),
engineer as (
    select w.week, count(*) as engineers
    from whole as w
    join tracked_person as p
        on not p.is_infrastructure and (p.first_at is null or p.first_at < w.end_at)
    group by w.week
),
asked as (
    select w.week, count(*) as requests
    from whole as w
    join request as r on r.created_at >= w.start_at and r.created_at < w.end_at
    group by w.week
),
waiting as (
    select w.week, count(*) as open_requests,
        cast(median(epoch_us(w.end_at) - epoch_us(r.created_at)) as bigint) as median_age_us
    from whole as w
    join request as r on r.created_at < w.end_at
        and (r.resolved_at is null or r.resolved_at >= w.end_at)
    group by w.week
)
select w.week, coalesce(a.requests, 0) as requests, e.engineers,
    round_significant(coalesce(a.requests, 0) / e.engineers) as per_engineer,
    coalesce(o.open_requests, 0) as open_requests, o.median_age_us
from whole as w
left join asked as a on a.week = w.week
left join engineer as e on e.week = w.week
left join waiting as o on o.week = w.week
