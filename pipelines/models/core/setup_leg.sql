-- One row per set-up and leg of it that was seen, with the working time up to then. Core legs are
-- repository, pipeline (first green run) and deployment (first that went live anywhere). Optional
-- ones are ownership (the portal's step that registered an owned entity), secrets and monitoring
-- (the first commit on a file that shows them). start, approval, run (the first of any outcome),
-- attempt, production, task start and task (its end) are moments beside them.
-- key: setup_id, leg
-- not null: reached_at, worked_us
-- references: setup_id -> service_setup.setup_id
with green as (
    select a.repository_key,
        min(coalesce(r.started_at, r.queued_at, r.finished_at)) as run_at,
        min(case when r.status = 'succeeded' then coalesce(r.finished_at, r.started_at) end)
            as green_at
    from records.pipeline_run as r
    join repository_alias as a on a.alias = r.repository_key
    where r.deleted_at is null
    group by a.repository_key
),
later_green as (
    -- A service on some paths of a repository: the first green run since it began.
    select s.setup_id, min(coalesce(r.finished_at, r.started_at)) as green_at
    from service_setup as s
    join repository_alias as a on a.repository_key = s.repository_key
    join records.pipeline_run as r on r.repository_key = a.alias
    where s.is_slice and r.deleted_at is null and r.status = 'succeeded'
        and coalesce(r.started_at, r.finished_at) >= s.repository_at
    group by s.setup_id
),
registered as (
    select t.task_id, min(t.finished_at) as registered_at
    from records.scaffolder_step as t
    where t.action = 'catalog:register' and t.status = 'succeeded'
    group by t.task_id
),
owned as (
    select lower(name) as name
    from records.catalog_entity
    where deleted_at is null and owner is not null and lower(kind) in ('component', 'service')
    group by lower(name)
),
shown as (
    select a.repository_key, regexp_extract(lower(p.category), '^(secrets|monitoring)', 1) as leg,
        min(c.committed_at) as shown_at
    from records.practice as p
    join repository_alias as a on a.alias = p.repository_key
    join records.commit_path as f on f.repository_key = p.repository_key and f.path = p.path
    join records.commit as c on c.repository_key = f.repository_key and c.sha = f.sha
    where regexp_matches(lower(p.category), '^(secrets|monitoring)')
    group by all
),
seen as (
    select setup_id, 'start' as leg, start_at as reached_at from service_setup
    union all
    select setup_id, 'approval', approved_at from service_setup
    union all
    select setup_id, 'repository', repository_at from service_setup
    union all
    select s.setup_id, 'pipeline', g.green_at
    from service_setup as s
    join green as g on g.repository_key = s.repository_key
    where not s.is_slice
    union all
    select setup_id, 'pipeline', green_at from later_green
    union all
    select s.setup_id, 'run', g.run_at
    from service_setup as s
    join green as g on g.repository_key = s.repository_key
    union all
    select setup_id, 'attempt', first_attempt_at from service_setup
    union all
    select setup_id, 'deployment', deployment_at from service_setup
    union all
    select setup_id, 'production', production_at from service_setup
    union all
    select setup_id, 'task start', task_started_at from service_setup
    union all
    select setup_id, 'task', task_ended_at from service_setup where is_golden_path
    union all
    select s.setup_id, 'ownership', r.registered_at
    from service_setup as s
    join registered as r on r.task_id = s.task_id
    join owned as o on o.name = lower(s.name)
    where s.is_golden_path
    union all
    select s.setup_id, p.leg, p.shown_at
    from service_setup as s
    join shown as p on p.repository_key = s.repository_key
)
select s.setup_id, s.leg, s.reached_at,
    coalesce(w.worked_before_us + greatest(0, least(
        epoch_us(s.reached_at) - epoch_us(w.work_start_at),
        epoch_us(w.work_end_at) - epoch_us(w.work_start_at))), 0) as worked_us
from seen as s
cross join input.clock as k
left join input.working_day as w on w.day = cast(timezone(k.zone, s.reached_at) as date)
where s.reached_at is not null
