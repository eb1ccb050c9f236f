-- One row per service and slice of it that metrics count: production as a whole, and each
-- production environment of a service that has several. `place` is the environment's name in
-- deployments, '' for all of production; a single environment called production beside others gets a longer name.
-- key: service_id, environment
-- references: service_id -> service.service_id
with live as (
    select distinct service_id, environment as place from deployment where is_counted
),
counted as (
    select service_id, place, count(*) over (partition by service_id) as places from live
)
select service_id, 'production' as environment, '' as place
from service
union all
select service_id,
    case when place = 'production' then 'production (environment)' else place end, place
from counted
where places > 1
