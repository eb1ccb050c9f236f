-- One row per attempt of the deployments API or a file, or run with a parameter for its version,
-- whose commit is known, with that commit's whole id: the one it names, whole or cut; of an image
-- or version the commit or tag in it; else the one its release or ref stands for.
-- kept: while building
-- key: attempt_id
-- not null: sha
with asked as (
    select m.attempt_id, m.repository_key, m.is_mapped,
        -- Of a tool that deploys manifests from a repository not connected, the commit is theirs.
        coalesce(m.stated_key, case when d.series is null then m.repository_key end, '')
            = m.repository_key as is_own,
        lower(trim(d.sha)) as sha, i.tag, d.release, d.ref
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    left join image_source as i on i.image = d.image
    where m.repository_key is not null
    union all
    select t.run_id, t.repository_key, true, false, null,
        regexp_extract(parameter_of(r.parameters, o.version_parameter), '[^:/@]+$'), null, null
    from run_target as t
    join records.pipeline_run as r on r.run_id = t.run_id
    join deployment_origin as o
        on o.repository_key = t.repository_key and o.version_parameter is not null
),
called as (
    select attempt_id, repository_key, 1 as rank, 'commit' as kind, sha as name
    from asked where not is_mapped
    union all
    select attempt_id, repository_key, 2, 'commit',
        unnest(regexp_extract_all(lower(replace(tag, '_', '-')), '(?:^|[^0-9a-z]|[^0-9a-z]g)([0-9a-f]{7,40})\b', 1))
    from asked where is_mapped
    union all
    select attempt_id, repository_key, 3, 'tag', tag from asked where is_mapped
    union all
    select attempt_id, repository_key, 4, 'commit',
        unnest(regexp_extract_all(lower(replace(release, '_', '-')), '(?:^|[^0-9a-z]|[^0-9a-z]g)([0-9a-f]{7,40})\b', 1))
    from asked where is_mapped
    union all
    select attempt_id, repository_key, 5, 'tag', release
    from asked where is_mapped or sha is null
    union all
    select attempt_id, repository_key, 6, 'commit', sha from asked where is_mapped and is_own
    union all
    select attempt_id, repository_key, 7, 'tag', ref
    from asked where sha is null and not is_mapped
),
known as (
    -- What an id cut to at least seven signs, or a whole one, stands for in its repository.
    select q.repository_key, q.name, min(c.sha) as sha
    from (
        select distinct repository_key, name from called
        where kind = 'commit' and (rank > 1 or length(name) < 40)
            and regexp_full_match(name, '[0-9a-f]{7,}')
    ) as q
    join repository_alias as a on a.repository_key = q.repository_key
    join records.commit as c on c.repository_key = a.alias
        and left(c.sha, 7) = left(q.name, 7) and starts_with(c.sha, q.name)
    group by q.repository_key, q.name
    having count(distinct c.sha) = 1
),
tagged as (
    -- A tag by its name, with or without the v before a version.
    select q.repository_key, q.name, arg_min(f.sha, (f.name <> q.name, f.name)) as sha
    from (select distinct repository_key, name from called where kind = 'tag') as q
    join repository_alias as a on a.repository_key = q.repository_key
    join records.reference as f on f.repository_key = a.alias and f.kind = 'tag'
        and f.name in (q.name, 'v' || q.name, ltrim(q.name, 'v'))
    group by q.repository_key, q.name
),
found as (
    select c.attempt_id, c.rank, c.name,
        -- A whole id that the history does not hold is still the commit that was deployed.
        coalesce(k.sha, t.sha, case when c.kind = 'commit' and (c.rank = 1 or length(c.name) = 40)
            then c.name end) as sha,
        k.sha is null and t.sha is null as is_unknown
    from called as c
    left join known as k
        on c.kind = 'commit' and k.repository_key = c.repository_key and k.name = c.name
    left join tagged as t
        on c.kind = 'tag' and t.repository_key = c.repository_key and t.name = c.name
)
select attempt_id, arg_min(sha, (is_unknown, rank, name)) as sha
from found
where sha is not null and sha <> ''
group by attempt_id
