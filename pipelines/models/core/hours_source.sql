-- One row per evaluation, group of people and source that has hours: what it covers, whether it is usable, and the one that is taken.
-- The first usable one in the order worklogs, status history, activity sessions, effort per type; where none is, the first that has hours. The status history is none where more tickets of a class than the settings allow went straight to done.
-- key: evaluated_at, is_infrastructure, source
-- not null: is_usable, is_taken
with covered as (
    select evaluated_at, is_infrastructure, source, count(*) as weeks, max(people) as people,
        sum(request_us + build_us + incident_us + overhead_us + unclassified_us) as tracked_us,
        sum(unclassified_us) as unclassified_us, sum(available_us) as available_us
    from team_hours
    group by evaluated_at, is_infrastructure, source
),
judged as (
    -- A class of a handful of tickets says nothing of how the team keeps its statuses.
    select e.evaluated_at, c.class, count(*) as resolved,
        count(*) filter (where i.ticket_id is null) as straight
    from input.evaluation as e
    cross join input.request_rule as w
    join ticket_fact as f on f.resolved_at < e.evaluated_at
        and f.resolved_at >= e.evaluated_at - to_days(cast(7 * w.weeks as integer))
    join ticket_class as c on c.ticket_id = f.ticket_id and c.is_infrastructure
        and c.class in ('request', 'build', 'incident')
    left join (select distinct ticket_id from progress_interval) as i on i.ticket_id = f.ticket_id
    group by e.evaluated_at, c.class
    having count(*) >= 5
),
straight as (
    select evaluated_at, max(straight / resolved) as share,
        arg_max(class, (straight / resolved, class)) as class
    from judged group by evaluated_at
),
rated as (
    select c.*, s.share as straight_share, s.class as straight_class,
        c.source = 'status history' and c.is_infrastructure
            and coalesce(s.share > w.straight_to_done_share, false) as skips_progress,
        coalesce(c.tracked_us >= w.tracked_share * c.available_us, false) as is_covering,
        case c.source when 'worklogs' then 1 when 'status history' then 2
            when 'activity sessions' then 3 else 4 end as place
    from covered as c
    cross join input.request_rule as w
    left join straight as s on s.evaluated_at = c.evaluated_at
),
ranked as (
    select *, row_number() over (
        partition by evaluated_at, is_infrastructure
        order by case when is_covering and not skips_progress then 0 when not skips_progress then 1 else 2 end,
            place) as rank
    from rated
)
select evaluated_at, is_infrastructure, source, cast(weeks as bigint) as weeks, people,
    cast(tracked_us as bigint) as tracked_us, cast(unclassified_us as bigint) as unclassified_us,
    cast(available_us as bigint) as available_us,
    case when source = 'status history' and is_infrastructure then round_significant(straight_share) end
        as straight_share,
    case when source = 'status history' and is_infrastructure then straight_class end as straight_class,
    is_covering and not skips_progress as is_usable, rank = 1 as is_taken, skips_progress
from ranked
