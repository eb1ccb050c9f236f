-- One row per ticket, person and week: time by sessions of activity.
-- The time between two activities of a person that lie close together belongs to the ticket of the later one; the first activity of a session takes the time the settings give it.
-- key: ticket_id, person_id, week
-- check: duration_us >= 0
with done as (
    -- Two things at one moment are one activity; logged time has a source of its own.
    select distinct a.person_id, a.done_at, a.ticket_id
    from ticket_activity as a
    join tracked_person as p on p.person_id = a.person_id
    where a.kind in ('moved', 'change')
),
spaced as (
    select person_id, done_at, ticket_id,
        epoch_us(done_at) - epoch_us(lag(done_at) over (partition by person_id order by done_at, ticket_id)) as gap_us
    from done
),
timed as (
    select s.ticket_id, s.person_id,
        cast(date_trunc('week', cast(timezone(k.zone, s.done_at) as date)) as date) as week,
        case when s.gap_us <= w.session_gap_us then s.gap_us else w.session_start_us end as duration_us
    from spaced as s
    cross join input.request_rule as w
    cross join input.clock as k
)
select ticket_id, person_id, week, cast(sum(duration_us) as bigint) as duration_us
from timed
group by ticket_id, person_id, week
