-- One row per audit, control, team and observed value, with whether the audit shows the control
-- inconsistent, exceptions as they stand today, and the evidence.
-- key: audit_id, control, team, value
-- not null: audit_name, is_finding
select o.audit_id, u.name as audit_name, o.performed_at, u.url as audit_url, o.control,
    o.control_title, o.category, coalesce(c.is_critical, false) as is_critical, o.team,
    o.team_name, o.is_known, o.value, o.observed, o.is_pass, o.is_flagged,
    coalesce(list_contains(s.finding_controls, o.control), false) as is_finding,
    e.team is not null or coalesce(o.exception_until > k.as_of, false) as is_excepted,
    e.reason as exception, coalesce(e.until_at, o.exception_until) as exception_until,
    o.evidence, o.url
from audit_observation as o
join records.audit as u on u.audit_id = o.audit_id
cross join input.clock as k
left join audit_standing as s on s.audit_id = o.audit_id and s.is_now
left join input.control as c on c.control = o.control
left join control_exception as e on e.control = o.control and e.team = o.team
    and (e.from_at is null or e.from_at <= k.as_of) and (e.until_at is null or e.until_at > k.as_of)
