-- One row per service that may have been set up: when it came to be, what the catalog says of it,
-- and why it is none that counts. A service that owns some paths of a repository began with the
-- first commit on them, every other with its repository. Repositories that one actor made more
-- than five of within an hour are a migration, unless each was asked for.
-- key: service_id
-- not null: name, repository_key
-- references: service_id -> service.service_id
with pattern as (
    select n.rule, r.repository_key
    from input.setup_name as n
    join repository as r on input_matches(n.pattern, r.name, r.repository_key)
    where n.rule <> 'template'
    group by n.rule, r.repository_key
),
made as (
    select a.repository_key, min(r.created_by) as created_by
    from records.repository as r
    join repository_alias as a on a.alias = r.repository_key
    where r.deleted_at is null
    group by a.repository_key
),
history as (
    select a.repository_key, min(least(c.committed_at, c.authored_at)) as first_at
    from records.commit as c
    join repository_alias as a on a.alias = c.repository_key
    where c.deleted_at is null and least(c.committed_at, c.authored_at) >= '2000-01-01'
    group by a.repository_key
),
path_begun as (
    select a.repository_key, p.path, min(c.committed_at) as first_at
    from records.commit_path as p
    join repository_alias as a on a.alias = p.repository_key
    join records.commit as c on c.repository_key = p.repository_key and c.sha = p.sha
    where a.repository_key in (select repository_key from service where len(paths) > 0)
        and c.committed_at >= '2000-01-01'
    group by a.repository_key, p.path
),
slice as (
    select s.service_id, min(p.first_at) as first_at
    from (select service_id, repository_key, unnest(paths) as prefix from service) as s
    join path_begun as p
        on p.repository_key = s.repository_key and starts_with(p.path, s.prefix)
    group by s.service_id
),
declared as (
    select lower(e.name) as name,
        bool_or(lower(e.kind) = 'service' or e.type is null
            or list_contains(t.service_types, lower(e.type))) as is_service,
        bool_or(list_contains(t.library_types, lower(e.type))) as is_library
    from records.catalog_entity as e
    cross join input.setup as t
    where e.deleted_at is null and lower(e.kind) in ('component', 'service')
    group by lower(e.name)
),
tried as (
    select service_id, min(started_at) as first_attempt_at, min(live_at) as deployment_at
    from service_attempt group by service_id
),
known as (
    select s.service_id, s.name, s.team_id, s.repository_key, r.connection,
        len(s.paths) > 0 as is_slice,
        case when len(s.paths) > 0 then l.first_at else coalesce(r.created_at, h.first_at) end
            as begun_at,
        case when len(s.paths) > 0 then 'first commit on its paths'
            when r.created_at is not null then 'repository created'
            when h.first_at is not null then 'first commit' end as begun_by,
        h.first_at as history_at, t.first_attempt_at, t.deployment_at,
        coalesce(d.is_service, false) as is_catalogued,
        coalesce(d.is_library, false) and not coalesce(d.is_service, false) as is_library,
        s.archived_at, r.is_fork, r.is_mirror, r.is_template,
        coalesce(m.created_by, regexp_extract(s.repository_key, '^(.*)/', 1)) as actor,
        m.created_by is not null as is_actor_known,
        row_number() over (
            partition by s.repository_key, len(s.paths) > 0
            order by coalesce(d.is_service, false) desc, s.service_id) as position
    from service as s
    join repository as r on r.repository_key = s.repository_key
    left join made as m on m.repository_key = s.repository_key
    left join history as h on h.repository_key = s.repository_key
    left join slice as l on l.service_id = s.service_id
    left join tried as t on t.service_id = s.service_id
    left join declared as d on d.name = lower(s.name)
)
select k.service_id, k.name, k.team_id, k.repository_key, k.connection, k.is_slice, k.begun_at,
    k.begun_by, k.history_at, k.first_attempt_at, k.deployment_at, k.is_catalogued, k.archived_at,
    k.actor, k.is_actor_known,
    case
        when k.is_fork then 'fork'
        when k.is_mirror then 'mirror'
        when k.is_template then 'template'
        when test.rule is not null then 'template test'
        when imported.rule is not null then 'import'
        when k.is_library or (library.rule is not null and not k.is_catalogued) then 'library'
        when not k.is_slice and k.position > 1 then 'shared repository'
    end as rule,
    -- What holds only of a service that nobody asked for.
    case when k.begun_by = 'repository created' and k.history_at < k.begun_at - interval 30 day
            then 'import'
        when k.deployment_at < k.begun_at then 'import' end as unasked_rule
from known as k
left join pattern as library
    on library.repository_key = k.repository_key and library.rule = 'library'
left join pattern as test
    on test.repository_key = k.repository_key and test.rule = 'template test'
left join pattern as imported
    on imported.repository_key = k.repository_key and imported.rule = 'import'
