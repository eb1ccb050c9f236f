-- One row per evaluation and audit that counted then, with exceptions as they stood at the
-- evaluation: on how many controls assessed teams differed, or the auditor flagged it, and how many
-- of the teams it reached. Without an assessed team it is no audit; with one team nothing differs.
-- key: evaluated_at, audit_id
-- not null: findings, reached
with counted as (
    select m.moment_at as evaluated_at, o.*, e.team is not null
            or coalesce(o.exception_until > m.moment_at, false) as is_excepted
    from configuration_moment as m
    cross join input.configuration as c
    join audit_observation as o
        on o.performed_at <= m.moment_at and epoch_us(m.moment_at) - epoch_us(o.performed_at) < 2 * c.audit_us
    left join control_exception as e
        on e.control = o.control and e.team = o.team
        and (e.from_at is null or e.from_at <= m.moment_at) and (e.until_at is null or e.until_at > m.moment_at)
),
per_team as (
    select evaluated_at, audit_id, control, team, is_known, bool_or(is_excepted) as is_excepted,
        bool_or(is_flagged) as is_flagged, list_sort(list(distinct value)) as seen
    from counted
    group by evaluated_at, audit_id, control, team, is_known
),
per_control as (
    select evaluated_at, audit_id, control,
        count(distinct seen) filter (where not is_excepted) > 1
            or coalesce(bool_or(is_flagged) filter (where not is_excepted), false) as is_finding,
        count(distinct seen) > 1 or bool_or(is_flagged) as is_finding_without_exceptions
    from per_team
    group by evaluated_at, audit_id, control
),
found as (
    select evaluated_at, audit_id,
        count(*) as controls,
        count(*) filter (where is_finding) as findings,
        coalesce(list(control order by control) filter (where is_finding), []) as finding_controls,
        coalesce(list(control order by control) filter (where is_finding_without_exceptions), [])
            as finding_controls_without_exceptions,
        coalesce(list(control order by control) filter (where is_finding and is_critical), [])
            as critical_controls
    from (
        select p.*, coalesce(c.is_critical, false) as is_critical
        from per_control as p
        left join input.control as c on c.control = p.control
    )
    group by evaluated_at, audit_id
),
reach as (
    select p.evaluated_at, p.audit_id, count(distinct s.team_id) as reached
    from per_team as p
    left join team_scope as s on s.moment_at = p.evaluated_at and s.team_id = p.team
    group by p.evaluated_at, p.audit_id
)
select f.evaluated_at, m.is_evaluation, m.is_now, f.audit_id, u.name, u.performed_at,
    epoch_us(f.evaluated_at) - epoch_us(u.performed_at) as age_us,
    f.controls, f.findings, f.finding_controls, f.finding_controls_without_exceptions,
    f.critical_controls, r.reached
from found as f
join configuration_moment as m on m.moment_at = f.evaluated_at
join records.audit as u on u.audit_id = f.audit_id
join reach as r on r.evaluated_at = f.evaluated_at and r.audit_id = f.audit_id
