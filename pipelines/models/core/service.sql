-- One row per service: those of the settings, those a catalog or file declares, else the
-- repository itself. A service owns the paths of its rule, or the whole repository.
-- key: service_id
-- references: repository_key -> repository.repository_key; team_id -> team.team_id
with named as (
    select s.name, a.repository_key, s.paths, 'team:' || lower(s.team) as team_id,
        'settings' as team_method, 0 as distance
    from input.service as s
    join repository as r on input_matches(s.repository, r.name, r.repository_key)
    join repository_alias as a on a.alias = r.repository_key
    union all
    select e.name, a.repository_key,
        case when e.path is null then []::varchar[] else [e.path] end,
        -- A catalog names its groups by reference; people know them by the name they show.
        'team:' || lower(coalesce(t.name, regexp_replace(e.owner, '^(group:)?(default/)?', ''))),
        'catalog', 1
    from records.catalog_entity as e
    join repository_alias as a on a.alias = e.repository_key
    left join records.team as t
        on t.team_id = e.connection || ':' || lower(e.owner) and t.deleted_at is null
    where e.deleted_at is null and lower(e.kind) in ('component', 'service')
),
once as (
    select * from named
    qualify row_number() over (partition by lower(name) order by distance, repository_key) = 1
),
whole as (
    select * from once
    union all
    select r.name, r.repository_key, []::varchar[], null, null, 2
    from repository as r
    where r.repository_key not in (select repository_key from once)
),
owned as (
    select
        case when distance = 2 then w.repository_key else 'service:' || lower(w.name) end as service_id,
        w.name, w.repository_key, w.paths,
        coalesce(w.team_id, t.team_id, i.team_id) as team_id,
        case
            when w.team_id is not null then w.team_method
            when t.team_id is not null then 'settings'
            when i.team_id is not null then 'inferred'
        end as team_method
    from whole as w
    join repository as r on r.repository_key = w.repository_key
    left join (
        select r2.repository_key, min('team:' || lower(o.team)) as team_id
        from input.team_repository as o
        join repository as r2 on input_matches(o.repository, r2.name, r2.repository_key)
        group by r2.repository_key
    ) as t on t.repository_key = w.repository_key
    left join repository_team as i on i.repository_key = w.repository_key
)
select
    o.service_id, o.name, case when tm.team_id is not null then o.team_id end as team_id,
    case when tm.team_id is not null then o.team_method end as team_method,
    o.repository_key, r.name as repository_name, r.url as repository_url,
    coalesce(r.archived_at, case when r.is_archived then r.created_at end) as archived_at,
    o.paths
from owned as o
join repository as r on r.repository_key = o.repository_key
left join team as tm on tm.team_id = o.team_id
