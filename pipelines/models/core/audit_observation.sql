-- One row per audit, control, team and value that was observed there. Values are normalised:
-- by the words of the settings, else by the approaches of the control's category, else to plain
-- words; without any, to passes or fails. A team that nobody knows keeps the name the audit gave it. Results that name
-- a repository or service are of its team; those of no team are of every team in the scope. A scan
-- that is evidence of an audit gives one value a control and team: fails where any rule of it does.
-- key: audit_id, control, team, value
-- not null: performed_at, control_title
with result as (
    select r.*, trim(regexp_replace(lower(r.control), '[^\p{L}\p{N}]+', ' ', 'g')) as control_name,
        trim(regexp_replace(lower(r.observed), '[^\p{L}\p{N}]+', ' ', 'g')) as observed_name,
        u.name as audit_name, u.performed_at, u.teams
    from records.audit_result as r
    join records.audit as u on u.audit_id = r.audit_id and u.deleted_at is null
    where r.deleted_at is null
),
resource_team as (
    select a.alias as name, s.team_id
    from repository_alias as a join service as s on s.repository_key = a.repository_key
    where s.team_id is not null
    union
    select n.name, s.team_id
    from service_name as n join service as s on s.service_id = n.service_id
    where s.team_id is not null
),
told as (
    select r.result_id, r.team as team_name from result as r where r.team is not null
    union
    select r.result_id, t.name
    from result as r
    join resource_team as f on f.name = lower(r.resource)
    join team as t on t.team_id = f.team_id
    where r.team is null
    union
    select r.result_id, unnest(r.teams) from result as r where r.team is null and r.resource is null
),
of_register as (
    select r.audit_id, r.performed_at, coalesce(a.control, r.control_name) as control,
        coalesce(c.title, r.control) as control_title, c.category, t.team_name,
        coalesce(v.value, p.title, nullif(r.observed_name, ''),
            case r.is_pass when true then 'passes' when false then 'fails' end,
            case when r.is_inconsistent then 'inconsistent' end) as value,
        r.observed, r.is_pass, r.is_inconsistent, r.exception_until, r.evidence, r.url
    from result as r
    join told as t on t.result_id = r.result_id
    left join input.control_alias as a on a.alias = r.control_name
    left join input.control as c on c.control = a.control
    left join (
        select observed, min(value) as value from input.observed_value group by observed
    ) as v on v.observed = r.observed_name
    left join (
        select category, unnest([
                trim(regexp_replace(lower(title), '[^\p{L}\p{N}]+', ' ', 'g')),
                trim(regexp_replace(approach, '_+', ' ', 'g'))
            ]) as name, title
        from input.practice_approach
    ) as p on p.category = c.category and p.name = r.observed_name
),
of_scan as (
    select f.audit as audit_id, u.performed_at, k.control, c.title as control_title, c.category,
        t.name as team_name,
        case when bool_or(not f.is_pass and not f.is_suppressed) then 'fails' else 'passes' end
            as value,
        null::varchar as observed, not bool_or(not f.is_pass and not f.is_suppressed) as is_pass,
        null::boolean as is_inconsistent, null::timestamptz as exception_until,
        min(f.path || ':' || f.at_line) filter (where not f.is_pass and not f.is_suppressed and f.path <> '') as evidence,
        null::varchar as url
    from records.finding as f
    join records.audit as u on u.audit_id = f.audit and u.deleted_at is null
    join repository_alias as a on a.alias = f.repository_key
    join service as s on s.repository_key = a.repository_key
    join team as t on t.team_id = s.team_id
    join input.control_rule as k
        on regexp_full_match(lower(f.rule), k.rule) and regexp_full_match(lower(f.tool), k.tool)
    join input.control as c on c.control = k.control
    where f.is_pass is not null and f.deleted_at is null
    group by all
),
named as (
    select o.*, coalesce(t.team_id,
            'audit:' || trim(regexp_replace(lower(o.team_name), '[^\p{L}\p{N}]+', ' ', 'g')))
            as team, t.team_id is not null as is_known
    from (select * from of_register union all select * from of_scan) as o
    left join team as t on t.team_id = 'team:' || lower(o.team_name)
    where o.value is not null
)
select audit_id, min(performed_at) as performed_at, control, min(control_title) as control_title,
    min(category) as category, team, min(team_name) as team_name, bool_or(is_known) as is_known,
    value, min(observed) as observed, bool_and(is_pass) as is_pass,
    coalesce(bool_or(is_inconsistent), false) as is_flagged, max(exception_until) as exception_until,
    min(evidence) as evidence, min(url) as url
from named
group by audit_id, control, team, value
