-- One row per moment, control and source of live scans: how many teams it reaches, and whether
-- those without an exception differ. From two teams; with fewer nothing can be inconsistent.
-- key: moment_at, control, source
-- check: differing <= compared
select t.moment_at, t.control, t.source, c.title, c.category, c.is_critical,
    count(*) as teams,
    count(*) filter (where not t.is_excepted) as compared,
    count(distinct t.approaches) filter (where not t.is_excepted) as differing,
    count(distinct t.approaches) filter (where not t.is_excepted) > 1 as is_inconsistent,
    count(distinct t.approaches) > 1 as is_different
from team_control as t
join input.control as c on c.control = t.control
group by t.moment_at, t.control, t.source, c.title, c.category, c.is_critical
