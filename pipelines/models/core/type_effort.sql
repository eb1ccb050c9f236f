-- One row per evaluation and type, or class, of the infrastructure team's tickets: the mean time one took.
-- Over tickets resolved in the year before, measured by one source: the first with ten of them. Above the 95th percentile its value is taken, so that one ticket moves little. A type needs ten, else the class speaks for it.
-- key: evaluated_at, level, name
-- check: tickets >= 10
with resolved as (
    select f.ticket_id, f.resolved_at, lower(coalesce(f.request_type, f.type, '')) as type, c.class
    from ticket_fact as f
    join ticket_class as c on c.ticket_id = f.ticket_id and c.is_infrastructure
    where f.resolved_at is not null and f.resolved_at >= f.created_at
),
took as (
    select h.ticket_id, h.source, sum(h.duration_us) as duration_us
    from measured_hours as h
    join tracked_person as p on p.person_id = h.person_id and p.is_infrastructure
    group by h.ticket_id, h.source
),
item as (
    select e.evaluated_at, t.source, r.type, r.class, r.ticket_id,
        cast(t.duration_us as bigint) as duration_us
    from resolved as r
    join took as t on t.ticket_id = r.ticket_id and t.duration_us > 0
    join input.evaluation as e on r.resolved_at < e.evaluated_at
        and r.resolved_at >= e.evaluated_at - interval 365 day
),
chosen as (
    select evaluated_at, arg_min(source,
        case source when 'worklogs' then 1 when 'status history' then 2 else 3 end) as source
    from (
        select evaluated_at, source from item group by evaluated_at, source
        having count(distinct ticket_id) >= 10
    )
    group by evaluated_at
),
levelled as (
    select i.evaluated_at, i.source, 'type' as level, i.type as name, i.duration_us
    from item as i join chosen as c on c.evaluated_at = i.evaluated_at and c.source = i.source
    where i.type <> ''
    union all
    select i.evaluated_at, i.source, 'class', i.class, i.duration_us
    from item as i join chosen as c on c.evaluated_at = i.evaluated_at and c.source = i.source
),
bounded as (
    select evaluated_at, level, name, count(*) as tickets,
        cast(percentile_cont(0.95) within group (order by duration_us) as bigint) as most_us
    from levelled
    group by evaluated_at, level, name
    having count(*) >= 10
)
select b.evaluated_at, b.level, b.name, min(l.source) as source, b.tickets,
    cast(sum(least(l.duration_us, b.most_us)) // b.tickets as bigint) as effort_us
from bounded as b
join levelled as l on l.evaluated_at = b.evaluated_at and l.level = b.level and l.name = b.name
group by b.evaluated_at, b.level, b.name, b.tickets
