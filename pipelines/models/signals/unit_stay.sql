-- One row per length of the look-back (30, 90 or 180 days), way of counting people, unit, person
-- and unbroken stay: the person counts on the unit at the end of a day e where
-- from_on < e <= until_on. counting: high (people after what is proven or confirmed) or low (and
-- after every good suggestion that waits).
-- kept: while building
-- key: days, counting, unit_id, person_id, from_on
-- check: from_on < until_on
with look_back as (
    select unnest([30, 90, 180]) as days
),
reach as (
    select b.days, 'high' as counting, s.person_id, s.service_id, s.first_on,
        s.last_on + b.days as until_on
    from engineer_stint as s cross join look_back as b
    union
    select b.days, 'low', s.likely_person_id, s.service_id, s.first_on, s.last_on + b.days
    from engineer_stint as s cross join look_back as b
),
on_unit as (
    select distinct r.days, r.counting, u.unit_id, r.person_id,
        greatest(r.first_on, u.from_on) as from_on, least(r.until_on, u.until_on) as until_on
    from reach as r
    join unit_use as u on u.service_id = r.service_id
        and r.first_on < u.until_on and u.from_on < r.until_on
),
spaced as (
    select *,
        max(until_on) over (
            partition by days, counting, unit_id, person_id order by from_on, until_on
            rows between unbounded preceding and 1 preceding) as reached_on
    from on_unit
),
counted as (
    select *,
        count(*) filter (where reached_on is null or from_on > reached_on) over (
            partition by days, counting, unit_id, person_id order by from_on, until_on
            rows unbounded preceding) as stay
    from spaced
)
select days, counting, unit_id, person_id, min(from_on) as from_on, max(until_on) as until_on
from counted
group by days, counting, unit_id, person_id, stay
