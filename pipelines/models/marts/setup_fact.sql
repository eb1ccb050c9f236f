-- One row per set-up of a service that was begun, or thing that looks like one, with its moments,
-- its stages in working time, how it stands at as_of and at the latest evaluation, and why it
-- counts or not. Stages add up to age_us; the stage that is not over holds the rest.
-- key: setup_id
-- not null: name, start_at, start_by, made_by, state
-- check: made_by in ('golden path', 'hand-made')
-- check: age_us is null or age_us = approval_us + repository_us + pipeline_us + environment_us + deployment_us + other_us
-- check: state in ('ready', 'open', 'cancelled', 'young', 'unknown', 'left out')
with reached as (
    select setup_id,
        min(case when leg = 'start' then worked_us end) as start_us,
        min(case when leg = 'approval' then worked_us end) as approval_us,
        min(case when leg = 'repository' then worked_us end) as repository_us,
        min(case when leg = 'pipeline' then worked_us end) as pipeline_us,
        min(case when leg = 'attempt' then worked_us end) as attempt_us,
        min(case when leg = 'deployment' then worked_us end) as deployment_us,
        min(case when leg = 'pipeline' then reached_at end) as pipeline_at
    from setup_leg
    group by setup_id
),
latest as (
    select s.setup_id, s.state, s.is_counted, s.is_over
    from setup_standing as s
    join (
        select evaluated_at, window_days from setup_measure order by evaluated_at desc limit 1
    ) as m on m.evaluated_at = s.evaluated_at and m.window_days = s.window_days
),
cut as (
    select s.*, r.start_us as cut_start, r.start_us + s.age_us as cut_end,
        least(r.start_us + s.age_us, greatest(r.start_us,
            case when r.approval_us is not null then least(r.approval_us, r.repository_us) end))
            as cut_approval,
        coalesce(r.repository_us, r.start_us + s.age_us) as repository_us,
        coalesce(r.pipeline_us, case when r.attempt_us is null then r.start_us + s.age_us end)
            as pipeline_us,
        coalesce(least(r.attempt_us, r.deployment_us), r.start_us + s.age_us) as attempt_us,
        coalesce(r.deployment_us, r.start_us + s.age_us) as deployment_us
    from setup_standing as s
    join reached as r on r.setup_id = s.setup_id
    where s.window_days = 0
),
second as (
    select *, greatest(cut_approval, least(repository_us, cut_end)) as cut_repository from cut
),
third as (
    select *, greatest(cut_repository, least(coalesce(pipeline_us, cut_repository), cut_end))
        as cut_pipeline from second
),
fourth as (
    select *, greatest(cut_pipeline, least(attempt_us, cut_end)) as cut_attempt from third
),
staged as (
    select *, greatest(cut_attempt, least(deployment_us, cut_end)) as cut_deployment from fourth
),
touched as (
    select setup_id, count(*) as tickets, cast(sum(worked_us) as bigint) as worked_us,
        list(ticket_key order by ticket_key) as ticket_keys
    from setup_touch group by setup_id
)
select s.setup_id, s.name, s.service_id, s.team_id, t.name as team_name,
    s.repository_key, o.name as repository_name, o.url as repository_url,
    s.start_at, s.start_by, s.request_label, s.request_url, s.requested_at, s.approved_at,
    s.repository_at, s.begun_by, r.pipeline_at, s.first_attempt_at, s.deployment_at,
    s.production_at, s.task_started_at, s.task_ended_at, s.template,
    case when s.is_golden_path then 'golden path' else 'hand-made' end as made_by,
    case when g.setup_id is null then 'left out' else g.state end as state,
    g.ready_at, g.until_at, g.age_us, g.elapsed_us, g.is_over,
    g.cut_approval - g.cut_start as approval_us,
    g.cut_repository - g.cut_approval as repository_us,
    g.cut_pipeline - g.cut_repository as pipeline_us,
    g.cut_attempt - g.cut_pipeline as environment_us,
    g.cut_deployment - g.cut_attempt as deployment_us,
    g.cut_end - g.cut_deployment as other_us,
    case
        when g.setup_id is null then null
        when g.state = 'ready' then 'ready'
        when s.repository_at is null then 'repository'
        when r.pipeline_at is null and s.first_attempt_at is null then 'first green pipeline'
        when s.first_attempt_at is null then 'environment'
        when s.deployment_at is null then 'first deployment'
        else 'first green pipeline'
    end as waits_for,
    coalesce(h.tickets, 0) as tickets, coalesce(h.ticket_keys, []) as ticket_keys,
    h.worked_us,
    l.setup_id is not null as is_in_cohort, coalesce(l.is_counted, false) as is_counted,
    l.state as evaluated_state,
    s.rule,
    case
        when s.exclusion is not null then s.exclusion
        when g.setup_id is null then 'archived before any deployment'
        when g.state = 'unknown' and g.is_service then 'began before the source was asked'
        when g.state = 'unknown' then 'its request was closed, no service of its name is seen'
        when g.state = 'young' then 'not ready, and less than a business day old'
    end as reason
from service_setup as s
left join reached as r on r.setup_id = s.setup_id
left join staged as g on g.setup_id = s.setup_id
left join latest as l on l.setup_id = s.setup_id
left join repository as o on o.repository_key = s.repository_key
left join team as t on t.team_id = s.team_id
left join touched as h on h.setup_id = s.setup_id
