-- One row per week with hours of requests or building of the infrastructure team: the share of requests.
-- Teams of one or two people are left out: it would tell of a person.
-- key: threshold, week
-- not null: value, n
select 'requests' as threshold, week,
    round_significant(request_us / (request_us + build_us)) as value,
    cast(tickets as bigint) as n, cast(null as bigint) as joins, cast(null as bigint) as leaves
from request_hours
where is_infrastructure and people >= 3 and request_us + build_us > 0
