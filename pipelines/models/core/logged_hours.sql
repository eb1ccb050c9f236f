-- One row per ticket, person and week: time that was logged.
-- Nothing of no or negative length and nothing over a week at once counts.
-- key: ticket_id, person_id, week
-- check: duration_us >= 0
select w.ticket_id, a.person_id,
    cast(date_trunc('week', cast(timezone(k.zone, w.started_at) as date)) as date) as week,
    cast(sum(w.duration_us) as bigint) as duration_us
from records.worklog as w
join records.ticket as t on t.ticket_id = w.ticket_id and t.deleted_at is null
join account_person as a on a.account_id = w.author
join tracked_person as p on p.person_id = a.person_id
cross join input.clock as k
where w.deleted_at is null and w.duration_us > 0 and w.duration_us <= 604800000000
    and w.started_at <= k.as_of
group by w.ticket_id, a.person_id, cast(date_trunc('week', cast(timezone(k.zone, w.started_at) as date)) as date)
