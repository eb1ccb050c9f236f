-- One row per resolved request and source that knows how long it took: the infrastructure team's
-- tracked hours (ticket_hours), where there are none what was logged on it (worklogs), and the
-- working hours it was in progress, which hold waiting within them too.
-- key: ticket_id, source
-- not null: handling_us
-- check: source in ('worklogs', 'status history', 'activity sessions', 'time in progress')
-- check: handling_us > 0
with moved as (
    select v.ticket_id, v.at as begun_at, v.to_category,
        lead(v.at) over (partition by v.ticket_id order by v.at, v.transition_id) as until_at
    from records.ticket_transition as v
    join platform_request as r on r.ticket_id = v.ticket_id and r.resolved_at is not null
    where v.field = 'status'
),
moment as (
    select begun_at as moment_at from moved
    where to_category = 'in_progress' and until_at > begun_at
    union
    select until_at from moved where to_category = 'in_progress' and until_at > begun_at
),
worked as (
    select m.moment_at, w.worked_before_us + greatest(0, least(
        epoch_us(m.moment_at) - epoch_us(w.work_start_at),
        epoch_us(w.work_end_at) - epoch_us(w.work_start_at))) as worked_us
    from moment as m
    cross join input.clock as k
    join input.working_day as w on w.day = cast(timezone(k.zone, m.moment_at) as date)
),
tracked as (
    -- Effort per type is a mean already: it says nothing of one ticket.
    select h.ticket_id, h.source, cast(sum(h.duration_us) as bigint) as handling_us
    from ticket_hours as h
    join platform_request as r on r.ticket_id = h.ticket_id and r.resolved_at is not null
    where h.source in ('worklogs', 'status history', 'activity sessions')
    group by h.ticket_id, h.source
),
found as (
    select ticket_id, source, handling_us from tracked
    union all
    select w.ticket_id, 'worklogs' as source, cast(sum(w.duration_us) as bigint) as handling_us
    from records.worklog as w
    join platform_request as r on r.ticket_id = w.ticket_id and r.resolved_at is not null
    anti join tracked as h on h.ticket_id = w.ticket_id
    where w.deleted_at is null
    group by w.ticket_id
    union all
    select m.ticket_id, 'time in progress', cast(sum(u.worked_us - f.worked_us) as bigint)
    from moved as m
    join worked as f on f.moment_at = m.begun_at
    join worked as u on u.moment_at = m.until_at
    where m.to_category = 'in_progress' and m.until_at > m.begun_at
    group by m.ticket_id
)
select ticket_id, source, handling_us from found where handling_us > 0
