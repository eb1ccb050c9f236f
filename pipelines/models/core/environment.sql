-- One row per service and environment, with the environment's class.
-- key: service_id, name
-- not null: class
select distinct service_id, environment as name,
    case when is_production(environment) then 'production' else 'other' end as class
from service_attempt
