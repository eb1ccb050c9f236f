-- One row per production deployment that counts: whether it is unplanned work. A hotfix and a
-- rollback are, and what ships nothing but fixes; a change is a fix by its label, its branch, by taking an earlier one back, or by a ticket of a type for faults opened since the deployment before. Where nothing says what it was, it is unknown.
-- key: deployment_id
-- not null: state, reason, contains_fix
-- references: deployment_id -> deployment.deployment_id
with placed as (
    select deployment_id, service_id, environment, kind, is_resolved, is_baseline,
        lag(live_at) over (
            partition by service_id, environment order by live_at, deployment_id) as previous_at
    from deployment
    where is_counted
),
shipped as (
    select p.deployment_id, p.previous_at, c.change_id, c.is_bot, c.head_branch, c.title,
        c.repository_key, c.merge_sha, c.ticket_keys,
        list_transform(c.labels, lambda label: lower(label)) as labels
    from placed as p
    join deployment_change as l
        on l.deployment_id = p.deployment_id and l.environment = p.environment
    join change as c on c.change_id = l.change_id
    where l.relation = 'shipped' and c.exclusion is null
),
linked as (
    select s.deployment_id, s.change_id,
        bool_or(list_contains(m.fix_ticket_types, lower(t.type)) and t.created_at > s.previous_at)
            as is_fix
    from (
        select deployment_id, change_id, previous_at, unnest(ticket_keys) as ticket_key from shipped
    ) as s
    join records.ticket as t on upper(t.ticket_key) = upper(s.ticket_key)
    cross join input.measure as m
    where t.deleted_at is null
    group by s.deployment_id, s.change_id
),
taking_back as (
    select distinct m.change_request_id as change_id
    from revert as v
    join change_commit as m on m.commit_no = v.commit_no
    union
    select 'commit:' || repository_key || ':' || sha from revert
),
classed as (
    select s.deployment_id, s.change_id, s.is_bot,
        coalesce(list_has_any(m.fix_labels, s.labels), false)
            or is_fix_branch(s.head_branch)
            or b.change_id is not null or starts_with(coalesce(s.title, ''), 'Revert "')
            or coalesce(l.is_fix, false) as is_fix,
        l.change_id is not null
            or coalesce(list_has_any(m.planned_labels, s.labels), false)
            or is_planned_branch(s.head_branch) as is_marked
    from shipped as s
    cross join input.measure as m
    left join linked as l on l.deployment_id = s.deployment_id and l.change_id = s.change_id
    left join taking_back as b on b.change_id = s.change_id
),
counted as (
    select deployment_id,
        count(*) as changes,
        count(*) filter (where not is_bot) as by_people,
        count(*) filter (where not is_bot and is_fix) as fixes,
        bool_or(is_fix or is_marked) as is_marked
    from classed
    group by deployment_id
),
judged as (
    select p.deployment_id, p.kind, p.is_resolved, p.is_baseline,
        coalesce(c.changes, 0) as changes, coalesce(c.by_people, 0) as by_people,
        coalesce(c.fixes, 0) as fixes, coalesce(c.is_marked, false) as is_marked,
        case
            when p.kind in ('hotfix', 'rollback') or (c.by_people > 0 and c.fixes = c.by_people)
                then 'rework'
            when coalesce(c.is_marked, false) then 'planned'
            else 'unknown'
        end as state
    from placed as p
    left join counted as c on c.deployment_id = p.deployment_id
)
select deployment_id, state,
    case
        when kind = 'rollback' then 'it is a rollback'
        when kind = 'hotfix' then 'it is a hotfix'
        when state = 'rework' then 'all that people changed in it are fixes'
        when state = 'planned' and fixes > 0
            then fixes || ' of ' || by_people || ' changes in it are fixes'
        when state = 'planned' then 'it ships planned work'
        when not is_resolved then 'its commit is not in the repository''s history'
        when is_baseline then 'first deployment seen: what it holds was shipped before'
        when changes = 0 then 'it ships no change that is known'
        else 'no ticket, label, branch or revert mark says what its changes are'
    end as reason,
    fixes > 0 as contains_fix, changes::bigint as changes, fixes::bigint as fixes
from judged
