-- One row per ticket, person and week: working time by the status history.
-- A working day counts for a ticket in progress if something was done for it that day or within the working days before that the settings allow (2); the day is split over all tickets that count.
-- key: ticket_id, person_id, week
-- check: duration_us >= 0
with calendar as (
    -- `number` is how many working days there were up to and including the day.
    select w.day, w.work_end_at > w.work_start_at as is_working,
        epoch_us(w.work_end_at) - epoch_us(w.work_start_at) as length_us,
        cast(sum(case when w.work_end_at > w.work_start_at then 1 else 0 end) over (order by w.day) as bigint)
            as number
    from input.working_day as w
),
active as (
    select distinct a.ticket_id, cast(timezone(k.zone, a.done_at) as date) as day
    from ticket_activity as a
    cross join input.clock as k
),
reached as (
    select a.ticket_id, unnest(range(
        c.number + case when c.is_working then 0 else 1 end, c.number + w.active_days + 1)) as number
    from active as a
    join calendar as c on c.day = a.day
    cross join input.request_rule as w
),
countable as (
    select distinct r.ticket_id, c.day, c.length_us
    from reached as r
    join calendar as c on c.number = r.number and c.is_working
),
held as (
    select i.ticket_id, i.person_id,
        cast(timezone(k.zone, i.from_at) as date) as from_day,
        cast(timezone(k.zone, i.to_at) as date) as to_day
    from progress_interval as i
    join tracked_person as p on p.person_id = i.person_id
    cross join input.clock as k
),
counted as (
    select distinct h.ticket_id, h.person_id, c.day, c.length_us
    from held as h
    join countable as c on c.ticket_id = h.ticket_id and c.day >= h.from_day and c.day <= h.to_day
),
shared as (
    select ticket_id, person_id, day,
        length_us // count(*) over (partition by person_id, day) as duration_us
    from counted
)
select ticket_id, person_id, cast(date_trunc('week', day) as date) as week,
    cast(sum(duration_us) as bigint) as duration_us
from shared
group by ticket_id, person_id, cast(date_trunc('week', day) as date)
