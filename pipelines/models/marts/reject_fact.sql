-- One row per item that could not be read, with where it stood and what was wrong.
-- key: batch_id, line, ordinal
select *, row_number() over (partition by batch_id, line order by table_name, path, problem)
    as ordinal
from records.reject
