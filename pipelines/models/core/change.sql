-- One row per change: a merged change request, or a commit that belongs to none. Where a
-- repository has no change requests at all, a merge on its default branch is the change. One that
-- an exclusion of the settings fits, the first of them, or whose dates are absurd (before 2000,
-- more than a day after as_of), has the reason in `exclusion`, and no metric counts it.
-- key: change_id
-- not null: repository_key, kind, start_at, merged_at
-- check: start_at <= merged_at
-- check: (exclusion is null) = (exclusion_rule is null)
with repository_rule as (
    select x.ordinal, r.repository_key
    from input.exclusion as x
    join repository as r on input_matches(x.repository, r.name, r.repository_key)
),
author_rule as (
    -- Every account of the person that the login or address belongs to.
    select distinct x.ordinal, o.account_id
    from input.exclusion as x
    join account_person as p on p.handle = x.author
    join account_person as o on o.person_id = p.person_id
),
path_rule as (
    select x.ordinal, p.change_id
    from change_path as p
    join input.exclusion as x on x.path is not null
    group by x.ordinal, p.change_id
    having bool_and(starts_with(p.path, x.path))
),
excluded as (
    select c.change_id, min(x.ordinal) as ordinal
    from known_change as c
    cross join input.exclusion as x
    left join repository_rule as r
        on r.ordinal = x.ordinal and r.repository_key = c.repository_key
    left join author_rule as a on a.ordinal = x.ordinal and a.account_id = c.author
    left join path_rule as p on p.ordinal = x.ordinal and p.change_id = c.change_id
    where (x.repository is null or r.ordinal is not null)
        and (x.author is null or a.ordinal is not null)
        and (x.path is null or p.ordinal is not null)
        and (x.label is null
            or list_contains(list_transform(c.labels, lambda label: lower(label)), x.label))
        and (x.title is null or is_excluded_title(x.ordinal, c.title))
    group by c.change_id
)
select c.*,
    case
        when x.ordinal is not null then x.reason
        when least(c.opened_at, c.merged_at) < '2000-01-01'
            or greatest(c.opened_at, c.merged_at) > k.as_of + interval 1 day
            then 'opened or merged before 2000 or in the future'
    end as exclusion,
    case
        when x.ordinal is not null then 'settings:' || (x.ordinal + 1)
        when least(c.opened_at, c.merged_at) < '2000-01-01'
            or greatest(c.opened_at, c.merged_at) > k.as_of + interval 1 day then 'absurd dates'
    end as exclusion_rule
from known_change as c
cross join input.clock as k
left join excluded as e on e.change_id = c.change_id
left join input.exclusion as x on x.ordinal = e.ordinal
