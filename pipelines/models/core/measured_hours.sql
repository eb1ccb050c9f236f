-- One row per ticket, person, week and source of hours: every source beside the others, never added up.
-- key: ticket_id, person_id, week, source
-- check: source in ('worklogs', 'status history', 'activity sessions')
select ticket_id, person_id, week, 'worklogs' as source, duration_us from logged_hours
union all
select ticket_id, person_id, week, 'status history', duration_us from progress_hours
union all
select ticket_id, person_id, week, 'activity sessions', duration_us from session_hours
