-- One row per kind and subject that somebody decided on: the decision in force. The one appended
-- last wins; what was taken back has no row.
-- key: kind, subject
-- not null: value, author, decided_at
with ordered as (
    select kind, subject, value, author, r.at as decided_at, decision_id,
        row_number() over (
            partition by kind, subject
            order by batch_id desc, line desc, r.at desc, decision_id desc
        ) as place
    from records.decision as r
    where connection = 'local'
)
select kind, subject, value, author, decided_at, decision_id
from ordered
where place = 1 and value <> 'withdrawn'
