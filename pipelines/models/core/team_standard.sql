-- One row per category and team with a declared standard; the first in the settings that names the
-- team holds.
-- key: category, team_id
-- references: team_id -> team.team_id
select s.category, t.team_id, s.approaches as standard
from input.standard as s
join team as t on regexp_full_match(lower(t.name), s.team)
qualify row_number() over (partition by s.category, t.team_id order by s.ordinal, s.team) = 1
