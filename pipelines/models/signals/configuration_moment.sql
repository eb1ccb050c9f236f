-- One row per moment at which configurations are looked at: the evaluations, and now.
-- key: moment_at
select moment_at, bool_or(is_evaluation) as is_evaluation, bool_or(is_now) as is_now
from (
    select evaluated_at as moment_at, true as is_evaluation, false as is_now from input.evaluation
    union all
    select as_of, false, true from input.clock
)
group by moment_at
