-- One row per unit and whole ISO week: engineers with a merged change or a production deployment
-- in the 90 days before the week's end on a service that runs on the unit, as many and as few as
-- the accounts may be, and who came and went.
-- key: unit_id, week
-- not null: name, kind, engineers, engineers_low, joins, leaves, services, teams, is_shared
-- references: unit_id -> shared_unit.unit_id
select w.unit_id, w.week, u.name, u.kind, w.engineers, w.engineers_low, w.joins, w.leaves,
    w.services, w.teams, w.is_shared, w.has_full_look_back
from unit_week as w
join shared_unit as u on u.unit_id = w.unit_id
where w.days = 90
