-- One row per moment that business time is asked for: the working time up to it, in microseconds.
-- kept: while building
-- key: moment
select m.moment,
    w.worked_before_us + greatest(0, least(
        epoch_us(m.moment) - epoch_us(w.work_start_at),
        epoch_us(w.work_end_at) - epoch_us(w.work_start_at))) as worked_us
from (
    select start_at as moment from change
    union
    select live_at from deployment where is_counted
) as m
cross join input.clock as k
join input.working_day as w on w.day = cast(timezone(k.zone, m.moment) as date)
