-- One row per service, unit it runs on, source that says so and unbroken time: it held at the end
-- of a day e where from_on < e <= until_on. Catalog and settings say it for all time. A
-- deployment target holds until the service is next deployed to the same environment, and 90 days
-- at least; a pool of self-hosted runners for 90 days after each job. Vendor-hosted runners and
-- public registries are no units. The kind is read from the words of the type, or of the name.
-- key: service_id, unit_id, source, from_on
-- not null: name, kind, until_on
-- check: from_on < until_on
-- check: kind in ('cluster', 'cloud account', 'runner pool', 'registry', 'terraform state')
-- references: service_id -> service.service_id
with single as (
    select repository_key, min(service_id) as service_id
    from service group by repository_key having count(*) = 1
),
reference as (
    -- References may leave out the namespace: resource:eu is resource:default/eu.
    select entity_ref, type, name, repository_key, lower(kind) as kind, depends_on,
        regexp_replace(lower(entity_ref), '^([^:/]+):([^/]+)$', '\1:default/\2') as full_ref
    from records.catalog_entity
    where deleted_at is null
),
component as (
    select coalesce(n.service_id, s.service_id) as service_id, unnest(r.depends_on) as needed
    from reference as r
    left join service_name as n on n.name = lower(r.entity_ref)
    left join repository_alias as a on a.alias = r.repository_key
    left join single as s on s.repository_key = a.repository_key
    where r.kind in ('component', 'service') and coalesce(n.service_id, s.service_id) is not null
),
needed as (
    select service_id,
        regexp_replace(lower(needed), '^([^:/]+):([^/]+)$', '\1:default/\2') as full_ref
    from component
),
cataloged as (
    select distinct n.service_id,
        coalesce(r.name, regexp_extract(n.full_ref, '[^/]+$')) as name,
        case when r.type is null or lower(r.type) in ('infrastructure', 'resource', 'platform')
            then null else r.type end as told
    from needed as n
    left join reference as r on r.full_ref = n.full_ref
    where starts_with(n.full_ref, 'resource:')
),
deployed as (
    select s.service_id, s.environment, nullif(trim(d.target), '') as target,
        cast(timezone(k.zone, s.started_at) as date) as from_on,
        cast(timezone(k.zone, lead(s.started_at) over (
            partition by s.service_id, s.environment order by s.started_at, s.attempt_id
        )) as date) as next_on
    from service_attempt as s
    join records.deployment_attempt as d on d.attempt_id = s.attempt_id
    cross join input.clock as k
    where is_production(s.environment)
),
targeted as (
    select service_id, coalesce(target, environment) as name, target is not null as is_target,
        from_on, max(greatest(from_on + 90, coalesce(next_on, date '9999-12-31'))) as until_on
    from deployed
    group by all
),
ran as (
    select distinct a.repository_key, r.runner_labels, c.kind as source_kind,
        cast(timezone(k.zone, r.started_at) as date) as from_on
    from (
        select run_id, runner_labels, started_at, connection from records.pipeline_job
        where len(runner_labels) > 0 and deleted_at is null
        union all
        select run_id, runner_labels, started_at, connection from records.pipeline_run
        where len(runner_labels) > 0 and deleted_at is null
    ) as r
    join records.pipeline_run as p on p.run_id = r.run_id
    join repository_alias as a on a.alias = p.repository_key
    left join input.connection as c on c.connection = r.connection
    cross join input.clock as k
    where r.started_at is not null
),
pooled as (
    select repository_key, from_on, source_kind,
        list_transform(runner_labels, lambda label: lower(label)) as labels
    from ran
),
hosted as (
    -- Forges mark runners of one's own; a Jenkins has no others.
    select repository_key, from_on,
        coalesce(nullif(array_to_string(list_sort(list_distinct(list_filter(labels, lambda label:
            label not in ('self-hosted', 'linux', 'windows', 'macos', 'x64', 'x86', 'x86_64',
                'amd64', 'arm', 'arm64')))), '+'), ''), 'self-hosted') as name
    from pooled
    where list_contains(labels, 'self-hosted') or source_kind = 'jenkins'
        or (source_kind = 'gitlab' and len(list_filter(labels, lambda label:
            regexp_matches(label, '^(saas-|gitlab-org|shared$|ubuntu-|windows-|macos-)'))) = 0)
),
told as (
    select service_id, name, coalesce(told, name) as told, null as kind, 'catalog' as source,
        date '1970-01-01' as from_on, date '9999-12-31' as until_on
    from cataloged
    union all
    select service_id, name, name, case when is_target then 'cluster' end,
        'deployment target', from_on, until_on
    from targeted
    union all
    select s.service_id, h.name, null, 'runner pool', 'runner labels', h.from_on, h.from_on + 90
    from hosted as h
    join service as s on s.repository_key = h.repository_key
    union all
    select s.service_id, u.name, null, u.kind, 'settings', date '1970-01-01', date '9999-12-31'
    from input.shared_unit as u
    join service as s on input_matches(u.service, s.name, s.repository_key)
),
worded as (
    select *, regexp_replace(lower(told), '[^a-z0-9]+', ' ', 'g') as words
    from told
),
typed as (
    select service_id, trim(name) as name, source, from_on, until_on,
        case
            when source in ('runner labels', 'settings') then kind
            when regexp_matches(words,
                '\b(database|db|postgres|postgresql|mysql|mariadb|mongodb|redis|kafka|rds|cache|queue|bucket|topic|elasticsearch|opensearch)\b')
                then null
            when regexp_matches(words, '\b(terraform|tfstate|opentofu)\b') then 'terraform state'
            when regexp_matches(words, '\b(runners?|agents?|build farm)\b') then 'runner pool'
            when regexp_matches(words, '\b(registry|artifactory|nexus|harbor|ecr|acr|gcr)\b')
                then 'registry'
            when regexp_matches(words,
                '\b(clusters?|kubernetes|k8s|eks|gke|aks|openshift|nomad|ecs)\b') then 'cluster'
            when regexp_matches(words, '\b(account|subscription|landing zone|tenancy|[0-9]{12})\b')
                or words in ('gcp project', 'google cloud project') then 'cloud account'
            else kind
        end as kind
    from worded
),
unit as (
    select service_id, kind || ':' || lower(name) as unit_id, name, kind, source, from_on,
        max(until_on) as until_on
    from typed
    where kind is not null and name <> ''
        and not (kind = 'registry' and regexp_matches(lower(name),
            '(^|\.)(docker\.io|docker\.com|npmjs\.(org|com)|pypi\.org|quay\.io|maven\.org|rubygems\.org|crates\.io)|^(docker ?hub|maven central)$'))
    group by all
),
spaced as (
    select *,
        max(until_on) over (
            partition by service_id, unit_id, source order by from_on, name
            rows between unbounded preceding and 1 preceding) as reached_on
    from unit
),
counted as (
    select *,
        count(*) filter (where reached_on is null or from_on > reached_on) over (
            partition by service_id, unit_id, source order by from_on, name
            rows unbounded preceding) as spell
    from spaced
)
select service_id, unit_id, source, min(from_on) as from_on, max(until_on) as until_on,
    min(name) as name, min(kind) as kind
from counted
group by service_id, unit_id, source, spell
