-- One row per team: those of the settings, then those the sources know under other names.
-- key: team_id
-- not null: name
with declared as (
    select 'team:' || lower(name) as team_id, name, 'team:' || lower(parent) as parent, 0 as distance
    from input.team
    union all
    select 'team:' || lower(t.name), t.name, 'team:' || lower(p.name), 1
    from records.team as t
    left join records.team as p on p.team_id = t.parent and p.deleted_at is null
    where t.deleted_at is null
)
select team_id, name, parent
from declared
qualify row_number() over (partition by team_id order by distance, parent nulls last, name) = 1
