-- One row per connection that tells of incidents, with the moment from which it does: its first
-- incident, or where it gave none yet the start of its data; of a tracker whose tickets the settings call incidents, its first ticket.
-- key: connection, source
-- not null: from_at
with told as (
    select connection, 'incident' as source, min(coalesce(started_at, created_at)) as from_at
    from records.incident
    where deleted_at is null
    group by connection
    union all
    select t.connection, 'ticket', min(t.created_at)
    from records.ticket as t
    cross join input.incident_ticket as w
    where t.deleted_at is null and len(w.types) + len(w.labels) > 0
        and (len(w.projects) = 0 or list_contains(w.projects, lower(t.project)))
    group by t.connection
    union all
    -- Asked and never heard of an incident: silence, since its data begins, is an answer.
    select s.connection, 'incident', coalesce(s.coverage_from, timestamptz '2000-01-01 00:00:00+00')
    from input.source as s
    where s.stream = 'incidents' and s.last_success_at is not null
)
select connection, source, min(from_at) as from_at
from told
group by connection, source
