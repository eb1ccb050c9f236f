-- One row per control and team whose deviation was allowed, and until when: by the settings, by
-- the auditor of a result, or by a decision on "control|team". The longest one counts.
-- key: control, team
with named as (
    select team_id as team, lower(name) as name from team
    union
    select 'audit:' || trim(regexp_replace(lower(team), '[^\p{L}\p{N}]+', ' ', 'g')), lower(team)
    from records.audit_result
    where team is not null and deleted_at is null and 'team:' || lower(team) not in (select team_id from team)
),
allowed as (
    select coalesce(a.control, e.control) as control, n.team, e.until_at, e.reason,
        'settings' as source, null::timestamptz as from_at
    from input.configuration_exception as e
    join named as n on regexp_full_match(n.name, e.team)
    left join input.control_alias as a on a.alias = e.control
    union all
    select coalesce(a.control, d.control), n.team, null, d.value, 'decision', d.decided_at
    from (
        select trim(regexp_replace(
                lower(split_part(subject, '|', 1)), '[^\p{L}\p{N}]+', ' ', 'g')) as control,
            lower(trim(split_part(subject, '|', 2))) as name, value, decided_at
        from decision where kind = 'exception'
    ) as d
    join named as n on n.name = d.name
    left join input.control_alias as a on a.alias = d.control
)
select control, team, from_at, until_at, reason, source
from allowed
qualify row_number() over (
    partition by control, team
    order by coalesce(until_at, 'infinity'::timestamptz) desc, source, reason, from_at
) = 1
