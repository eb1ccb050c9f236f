-- One row per set-up of a service: from the earliest of set-up tickets, runs of a template and the
-- repository, to the legs that make it ready. Requests that no service came of (open, cancelled,
-- failed) are set-ups too; those for one name less than 30 days apart are one. `rule` and
-- `exclusion` say why one counts nowhere, whatever the moment. start_by: what came first.
-- key: setup_id
-- not null: name, start_at, start_by
-- check: start_by in ('ticket', 'task', 'repository')
-- check: (rule is null) = (exclusion is null)
-- check: outcome is null or service_id is null
-- references: service_id -> service.service_id
with asked as (
    select service_id, count(*) as requests,
        count(*) filter (where kind = 'ticket') as tickets,
        arg_min(kind, (requested_at, request_id)) as first_kind,
        arg_min(url, (requested_at, request_id)) as request_url,
        arg_min(label, (requested_at, request_id)) as request_label,
        arg_min(requester, (requested_at, request_id)) as requester,
        min(requested_at) as requested_at, min(approved_at) as approved_at
    from setup_request
    where service_id is not null and rule is null
    group by service_id
),
ran as (
    -- The run that made the service, else the last that was tried.
    select service_id, request_id as task_id, template, requested_at as task_started_at,
        ended_at as task_ended_at, outcome = 'done' as is_made
    from setup_request
    where service_id is not null and rule is null and kind = 'task'
    qualify row_number() over (
        partition by service_id order by outcome = 'done' desc, requested_at desc, request_id) = 1
),
unasked as (
    select c.service_id, c.connection, c.actor, c.begun_at
    from setup_candidate as c
    left join asked as a on a.service_id = c.service_id
    where a.service_id is null and c.begun_at is not null and c.rule is null and not c.is_slice
        and c.begun_by = 'repository created'
),
hour as (
    select service_id, connection, actor, begun_at,
        count(*) over (partition by connection, actor order by begun_at
            range between current row and interval 1 hour following) as following
    from unasked
),
migrated as (
    select service_id,
        max(following) over (partition by connection, actor order by begun_at
            range between interval 1 hour preceding and current row) > 5 as is_bulk
    from hour
),
leg as (
    select service_id, min(case when is_production(environment) then live_at end) as production_at
    from service_attempt group by service_id
),
of_service as (
    select c.service_id as setup_id, c.service_id, c.name, c.team_id, c.repository_key, c.connection,
        least(a.requested_at, c.begun_at) as start_at,
        case when a.requested_at <= c.begun_at or c.begun_at is null then a.first_kind
            else 'repository' end as start_by,
        a.requested_at, a.approved_at, c.begun_at as repository_at, c.begun_by,
        c.first_attempt_at, c.deployment_at, l.production_at, c.archived_at, c.is_catalogued,
        c.is_slice, a.requester, a.request_label, a.request_url,
        coalesce(a.requests, 0) as requests, coalesce(a.tickets, 0) as tickets,
        r.task_id, r.template, coalesce(r.is_made, false) as is_golden_path,
        r.task_started_at, r.task_ended_at, null as outcome,
        cast(null as timestamptz) as ended_at,
        case
            when c.rule is not null then c.rule
            when a.service_id is not null then null
            when c.unasked_rule is not null then c.unasked_rule
            when m.is_bulk then case when c.is_actor_known then 'bulk migration'
                else 'bulk migration by nobody known' end
            when c.first_attempt_at is null and not c.is_catalogued then 'not a service'
        end as rule
    from setup_candidate as c
    left join asked as a on a.service_id = c.service_id
    left join ran as r on r.service_id = c.service_id
    left join migrated as m on m.service_id = c.service_id
    left join leg as l on l.service_id = c.service_id
    where least(a.requested_at, c.begun_at) is not null
),
loose as (
    select *, coalesce(name, request_id) as topic,
        lag(coalesce(ended_at, requested_at)) over (
            partition by coalesce(name, request_id) order by requested_at, request_id) as last_at
    from setup_request
    where service_id is null and coalesce(rule, '') not in ('other template', 'no repository')
),
session as (
    select *,
        sum(case when last_at >= requested_at - interval 30 day then 0 else 1 end) over (
            partition by topic order by requested_at, request_id) as ordinal
    from loose
),
of_request as (
    select arg_min(request_id, (requested_at, request_id)) as setup_id,
        arg_min(coalesce(name, title), (requested_at, request_id)) as name,
        arg_min(connection, (requested_at, request_id)) as connection,
        min(requested_at) as start_at,
        arg_min(kind, (requested_at, request_id)) as start_by,
        min(approved_at) as approved_at,
        arg_min(requester, (requested_at, request_id)) as requester,
        arg_min(label, (requested_at, request_id)) as request_label,
        arg_min(url, (requested_at, request_id)) as request_url,
        count(*) as requests, count(*) filter (where kind = 'ticket') as tickets,
        arg_max(request_id, (requested_at, request_id)) filter (where kind = 'task') as task_id,
        arg_max(template, (requested_at, request_id)) filter (where kind = 'task') as template,
        min(requested_at) filter (where kind = 'task') as task_started_at,
        case when bool_or(outcome = 'open') then 'open'
            else arg_max(outcome, (ended_at, request_id)) end as outcome,
        case when not bool_or(outcome = 'open') then max(ended_at) end as ended_at,
        case when bool_and(rule is not null) then min(rule) end as rule
    from session
    group by topic, ordinal
),
united as (
    select * from of_service
    union all by name
    select *, start_at as requested_at, false as is_catalogued, false as is_slice,
        false as is_golden_path
    from of_request
)
select u.* exclude (rule),
    case
        when least(u.start_at, u.deployment_at) < '2000-01-01'
            or u.start_at > k.as_of + interval 1 day then 'absurd dates'
        else u.rule
    end as rule,
    case
        when least(u.start_at, u.deployment_at) < '2000-01-01'
            or u.start_at > k.as_of + interval 1 day then 'begun before 2000 or in the future'
        else case u.rule
            when 'fork' then 'a fork of another repository'
            when 'mirror' then 'a mirror of another repository'
            when 'template' then 'a template, not a service'
            when 'template test' then 'only tried a template out'
            when 'import' then 'came from elsewhere: older than its repository'
            when 'library' then 'a library'
            when 'shared repository' then 'shares its repository with another service'
            when 'bulk migration' then 'more than 5 repositories made by one actor within an hour'
            when 'bulk migration by nobody known'
                then 'more than 5 repositories made within an hour, by whom is not known'
            when 'not a service' then 'no request, no deployment, and no service in the catalog'
            when 'duplicate' then 'a duplicate of another request'
            when 'existed already' then 'names a service that existed already'
        end
    end as exclusion
from united as u
cross join input.clock as k
