-- One row per evaluation and ticket of the infrastructure team resolved in the weeks before: what one of its type takes, in the week it was resolved, for whoever it was assigned to.
-- key: evaluated_at, ticket_id
select e.evaluated_at, f.ticket_id, a.person_id,
    cast(date_trunc('week', cast(timezone(k.zone, f.resolved_at) as date)) as date) as week,
    coalesce(o.effort_us, q.effort_us, y.effort_us, z.effort_us) as duration_us
from ticket_fact as f
join records.ticket as t on t.ticket_id = f.ticket_id
join ticket_class as c on c.ticket_id = f.ticket_id and c.is_infrastructure
join account_person as a on a.account_id = t.assignee
join tracked_person as p on p.person_id = a.person_id and p.is_infrastructure
cross join input.clock as k
cross join input.request_rule as w
join input.evaluation as e on f.resolved_at < e.evaluated_at
    and cast(timezone(k.zone, f.resolved_at) as date) >= e.evaluated_on - cast(7 * w.weeks as integer)
left join input.ticket_effort as o on o.type = lower(f.request_type)
left join input.ticket_effort as q on q.type = lower(f.type)
left join type_effort as y on y.evaluated_at = e.evaluated_at and y.level = 'type'
    and y.name = lower(coalesce(f.request_type, f.type))
left join type_effort as z on z.evaluated_at = e.evaluated_at and z.level = 'class' and z.name = c.class
where f.resolved_at >= f.created_at
    and coalesce(o.effort_us, q.effort_us, y.effort_us, z.effort_us) is not null
