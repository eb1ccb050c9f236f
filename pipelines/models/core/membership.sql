-- One row per person and team, from the settings or a source.
-- key: person_id, team_id
-- references: person_id -> person.person_id; team_id -> team.team_id
with sourced as (
    select a.person_id, 'team:' || lower(t.name) as team_id
    from records.team_member as m
    join records.team as t on t.team_id = m.team_id and t.deleted_at is null
    join account_person as a on a.account_id = m.account_id
    union
    select a.person_id, 'team:' || lower(m.team) as team_id
    from input.team_member as m
    join account_person as a on a.handle = lower(m.account)
)
select distinct s.person_id, s.team_id
from sourced as s
join team as t on t.team_id = s.team_id
