-- One row per check and subject that somebody should look at, with how many of how many.
-- key: check_name, subject
with found as (
    select 'unmatched environments' as check_name,
        environment as subject,
        count(*) as count,
        sum(count(*)) over () as total,
        'no production token in the environment''s name' as message,
        'name it under deployments.production in leadline.toml if it is production' as help
    from deployment where environment_class = 'other' group by environment
    union all
    select 'unmatched deployments', coalesce(d.repository_key, d.service_hint, 'without a repository'),
        count(*), (select count(*) from attempt_repository),
        'no repository or service of this name is known',
        'connect the repository, or name the service under services in leadline.toml'
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    where m.repository_key is null
    group by 2
    union all
    select 'builds of unknown services', named, count(*), (select count(*) from run_target),
        'the rule finds this name in them, and no service or repository has it',
        'name the service under services in leadline.toml, or correct deployments.rules'
    from run_target where repository_key is null
    group by named
    union all
    select 'deployments of another origin', r.name, count(*),
        (select count(*) from attempt_repository as t where t.repository_key = min(m.repository_key)),
        'only one origin of a repository counts, and its is ' || min(o.origin),
        'add a rule under deployments.rules if another one is right'
    from attempt_repository as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    join repository as r on r.repository_key = m.repository_key
    join deployment_origin as o on o.repository_key = m.repository_key and o.origin <> m.origin
    where is_production(d.environment)
    group by r.name
    union all
    select 'deployments told twice', s.name || ' in ' || a.environment, count(r.attempt_id), count(*),
        'Argo CD tells when they were live: what the forge tells of them is left out',
        'name the environments of the two apart if they are two'
    from service_attempt as a
    join service as s on s.service_id = a.service_id
    left join retold_attempt as r on r.service_id = a.service_id and r.attempt_id = a.attempt_id
    group by 2 having count(r.attempt_id) > 0
    union all
    select 'unmapped images', i.name, count(*),
        (select count(*) from records.deployment_attempt where image is not null and deleted_at is null),
        'no single repository or service has the name of this image',
        'say under deployments.images which repository it is built from'
    from image_source as i
    join records.deployment_attempt as d on d.image = i.image and d.deleted_at is null
    where i.repository_key is null
    group by i.name
    union all
    select 'absurd dates', 'deployments of ' || r.name, count(*) filter (where a.is_absurd), count(*),
        'before 2000, or more than a day after the last pull: left out',
        'correct them at the source'
    from attempt as a join repository as r on r.repository_key = a.repository_key
    group by r.name having count(*) filter (where a.is_absurd) > 0
    union all
    select 'negative durations', 'deployments of ' || r.name,
        count(*) filter (where a.live_at < a.started_at), count(*),
        'live before it started: the earlier time is taken for both',
        'the clocks of the source disagree'
    from attempt as a join repository as r on r.repository_key = a.repository_key
    where not a.is_absurd
    group by r.name having count(*) filter (where a.live_at < a.started_at) > 0
    union all
    select 'deployments without commits', s.name,
        count(*) filter (where d.sha is null and d.is_counted), count(*),
        'no commit is known: they count, and ship nothing',
        'deploy by commit, or by a tag or image that names one'
    from deployment as d join service as s on s.service_id = d.service_id
    where d.live_at is not null
    group by s.name having count(*) filter (where d.sha is null and d.is_counted) > 0
    union all
    select 'alternating rollbacks', s.name || ' in ' || d.environment,
        count(*) filter (where d.kind = 'rollback' and d.is_unrelated), count(*),
        'two branches that do not hold each other take turns: each return reads as a rollback',
        'give each branch an environment of its own if these are no rollbacks'
    from deployment as d join service as s on s.service_id = d.service_id
    where d.live_at is not null and d.environment_class = 'production'
    group by s.name, d.environment
    having count(*) filter (where d.kind = 'rollback' and d.is_unrelated) > 1
    union all
    select 'dropped commits', s.name,
        count(*) filter (where d.relation = 'sideways' and d.dropped > 0), count(*),
        'deployed from another branch: commits that were live are no longer',
        'nothing, if they were meant to go'
    from deployment as d join service as s on s.service_id = d.service_id
    where d.live_at is not null and d.environment_class = 'production'
    group by s.name having count(*) filter (where d.relation = 'sideways' and d.dropped > 0) > 0
    union all
    select 'unresolved deployments', s.name,
        count(*) filter (where not d.is_resolved and d.sha is not null), count(*),
        'the deployed commit is not in the repository''s history',
        'check that the repository is cloned completely and that the commit was pushed'
    from deployment as d join service as s on s.service_id = d.service_id
    group by s.name having count(*) filter (where not d.is_resolved and d.sha is not null) > 0
    union all
    select 'services without deployments', s.name, 1, count(*) over (),
        'no production deployment was recognised',
        'add a rule under deployments.rules, or deploy'
    from service as s
    where s.service_id not in (select service_id from release_live) and s.archived_at is null
    union all
    select 'unlinked accounts', 'accounts', count(*) filter (where method = 'alone' and not is_bot),
        count(*) filter (where not is_bot),
        'accounts and addresses that no other is linked to',
        'list people with several accounts under people in leadline.toml'
    from account_person having count(*) filter (where method = 'alone' and not is_bot) > 0
    union all
    select 'accounts that may be one person', 'suggestions', count(*) filter (where state = 'pending'),
        count(*), 'their names are alike; nobody said yet whether they are one',
        'leadline confirm'
    from identity_suggestion having count(*) filter (where state = 'pending') > 0
    union all
    select 'confirmed identities that the settings overrule', left_name || ' = ' || right_name, 1, 1,
        'leadline.toml lists them as two people', 'correct people in leadline.toml, or take it back'
    from identity_suggestion where state = 'overruled'
    union all
    select 'shared units without services', name, 1, (select count(*) from shared_unit),
        'no service has a name that shared_units gives it', 'correct its services in leadline.toml'
    from shared_unit where services = 0 and list_contains(sources, 'settings')
    union all
    select 'services without a team', s.name, 1, count(*) over (), 'nobody is named as its owner',
        'name a team under services or teams in leadline.toml'
    from service as s where s.team_id is null
    union all
    select 'rejected items', connection || '.' || stream, count(*), count(*),
        'items that could not be read', 'see the list of rejects'
    from records.reject group by connection, stream
    union all
    select 'held deletions', connection || '.' || stream || ' ' || table_name, sum(rows), sum(total),
        'more rows vanished at once than is likely',
        'if the source is right: leadline sync ' || connection || ' --confirm-deletions'
    from records.held_deletion group by connection, stream, table_name
    union all
    select 'negative lead times', s.name, count(*), count(*), 'live before the change started',
        'the clocks of the authors or of the deployments disagree'
    from change_fact as c join service as s on s.service_id = c.service_id
    where c.relation = 'shipped' and c.live_at < c.start_at group by s.name
    union all
    select 'absurd dates', 'changes of ' || s.name, count(*), count(*),
        'dated before 2000 or in the future: no lead time', 'correct them at the source'
    from change_fact as f
    join change as c on c.change_id = f.change_id
    join service as s on s.service_id = f.service_id
    where f.start_at < '2000-01-01' or c.exclusion_rule = 'absurd dates' group by s.name
    union all
    select 'goals for unknown teams', g.team, count(*),
        (select count(*) from input.goal where team is not null), 'no team has this name',
        'correct the name under goals in leadline.toml, or name the team under teams'
    from input.goal as g
    where g.team is not null and 'team:' || lower(g.team) not in (select team_id from team)
    group by g.team
    union all
    select 'incidents without a service', source, count(*) filter (where service_id is null), count(*),
        'they name no service that is known',
        'map the names they use under incidents.service_names in leadline.toml'
    from incident_fact group by source having count(*) filter (where service_id is null) > 0
    union all
    select 'incidents linked to nothing', coalesce(service_name, 'without a service'),
        count(*) filter (where deployment_id is null and not is_rejected), count(*),
        'no deployment was live shortly before them and they name none',
        'often right: not every incident comes from a deployment; else name the deployment in them'
    from incident_fact
    group by 2 having count(*) filter (where deployment_id is null and not is_rejected) > 0
    union all
    select 'rejected links', coalesce(service_name, 'without a service'),
        count(*) filter (where is_rejected), count(*),
        'they were over before the deployment was live, or name one that came after they began',
        'check the times of the incidents at their source'
    from incident_fact group by 2 having count(*) filter (where is_rejected) > 0
    union all
    select 'incident windows cover most of the time', s.name, c.incidents, c.incidents,
        'deployments reach over ' || cast(round(c.covered_share * 100) as integer)
            || ' % of the last 91 days: incidents linked by time alone do not count as failures',
        'name deployments in incidents, or lower failures.incident_window_hours in leadline.toml'
    from incident_coverage as c
    join service as s on s.service_id = c.service_id
    join input.period as p on p.period = c.period and p.period_start = c.period_start
    where c.environment = 'production' and c.period = '91d' and p.is_current
        and not c.is_time_used and c.incidents > 0
    union all
    select 'incidents that end before they begin', coalesce(service_name, 'without a service'),
        count(*) filter (where resolved_at < started_at), count(*),
        'resolved before their start: left out of their duration',
        'correct their times at the source'
    from incident_fact group by 2 having count(*) filter (where resolved_at < started_at) > 0
    union all
    select 'unowned changes', r.name, count(*) filter (where s.change_id is null), count(*),
        'they touch only paths that belong to no service',
        'add the paths to a service under services, if one of them owns these'
    from change as c
    join repository as r on r.repository_key = c.repository_key
    left join (select distinct change_id from change_service) as s on s.change_id = c.change_id
    where c.kind not in ('stacked', 'promotion', 'backport')
    group by r.name having count(*) filter (where s.change_id is null) > 0
    union all
    select 'stranded requests', r.name, count(*), count(*),
        'merged into a branch that nothing carried on: they are no change yet',
        'nothing, if the branch is still being worked on'
    from stacked as k
    join merged_request as m on m.change_request_id = k.change_request_id
    join repository as r on r.repository_key = m.repository_key
    where k.carrier_id is null
    group by r.name
    union all
    select 'change requests seen twice', r.name, count(*) - count(m.change_request_id), count(*),
        'several connections see the same request: it counts once',
        'pull each repository by one connection'
    from records.change_request as c
    join repository_alias as a on a.alias = c.repository_key
    join repository as r on r.repository_key = a.repository_key
    left join merged_request as m on m.change_request_id = c.change_request_id
    where c.deleted_at is null and c.merged_at is not null
    group by r.name having count(*) > count(m.change_request_id)
    union all
    select 'very large changes', r.name, count(*), count(*),
        'a change of a thousand commits or more', 'look whether it is one change'
    from (
        select change_request_id from records.change_request_commit
        group by change_request_id having count(*) >= 1000
    ) as l
    join merged_request as m on m.change_request_id = l.change_request_id
    join repository as r on r.repository_key = m.repository_key
    group by r.name
    union all
    select 'deployments after a gap', s.name, count(*) filter (where d.is_after_gap), count(*),
        'the first since the source gave nothing for over 14 days, or had forgotten some',
        'changes of the time before may have been live earlier'
    from deployment as d join service as s on s.service_id = d.service_id
    where d.live_at is not null and d.environment_class = 'production'
    group by s.name having count(*) filter (where d.is_after_gap) > 0
    union all
    select 'deployments the source had forgotten', coalesce(d.service_hint, m.series),
        sum(m.missed), sum(m.missed) + count(*),
        'there were so many more before those that were pulled',
        'sync more often, or let the source keep more (Argo CD: revisionHistoryLimit)'
    from (
        select min(attempt_id) as attempt_id, series, number, min(missed) as missed
        from missed_attempt group by series, number
    ) as m
    join records.deployment_attempt as d on d.attempt_id = m.attempt_id
    group by 2
    union all
    select 'interval-censored changes', s.name,
        count(*) filter (where c.relation = 'interval_censored'), count(*),
        'shipped by a deployment whose commit is not known, or the next one: no lead time',
        'see the unresolved deployments of the service'
    from change_fact as c join service as s on s.service_id = c.service_id
    group by s.name having count(*) filter (where c.relation = 'interval_censored') > 0
    union all
    select 'deployments after as_of', s.name, count(*) filter (where d.live_at > k.as_of), count(*),
        'later than the earliest last pull: counted from the next build on',
        'see which connection was pulled last, and when'
    from deployment as d
    join service as s on s.service_id = d.service_id
    cross join input.clock as k
    group by s.name having count(*) filter (where d.live_at > k.as_of) > 0
    union all
    select 'unclassified tickets', project, count(*) filter (where c.class = 'unclassified'), count(*),
        'nothing tells whether they are requests or building',
        'label them, name types or epics under requests in leadline.toml, or correct them on the page of requests'
    from ticket_class as c join records.ticket as t on t.ticket_id = c.ticket_id
    where c.is_infrastructure
    group by project having count(*) filter (where c.class = 'unclassified') > 0
    union all
    select 'absurd logged time', t.project,
        count(*) filter (where w.duration_us <= 0 or w.duration_us > 604800000000), count(*),
        'no or negative time, or over a week at once: left out', 'correct it at the source'
    from records.worklog as w
    join records.ticket as t on t.ticket_id = w.ticket_id and t.deleted_at is null
    where w.deleted_at is null
    group by t.project
    having count(*) filter (where w.duration_us <= 0 or w.duration_us > 604800000000) > 0
    union all
    select 'negative durations', 'tickets of ' || project,
        count(*) filter (where resolved_at < created_at), count(*),
        'resolved before it was created: in no effort per type', 'correct it at the source'
    from ticket_fact
    group by project having count(*) filter (where resolved_at < created_at) > 0
    union all
    select 'practices without a team', r.name, count(*), count(*),
        'files were read, but nobody owns the repository: no team is compared by them',
        'name a team under services or teams in leadline.toml'
    from standing_scan as c
    join repository as r on r.repository_key = c.repository_key
    join records.practice as p on p.scan_id = c.scan_id
    where c.until_at is null and c.repository_key not in (
        select repository_key from service where team_id is not null)
    group by r.name
    union all
    select 'practice scans that left files out', r.name, sum(c.files_left),
        sum(c.files + c.files_left),
        'too large, too many or no text',
        'leave them out by practices.exclude, so that others are read'
    from standing_scan as c
    join repository as r on r.repository_key = c.repository_key
    where c.until_at is null
    group by r.name having sum(c.files_left) > 0
    union all
    select 'audit results of unknown teams', team_name, count(*),
        (select count(*) from audit_observation), 'no team has this name: it counts as one of its own',
        'name the team in the audit as it is named under teams'
    from audit_observation where not is_known group by team_name
    union all
    select 'audit results of nobody', coalesce(r.resource, 'without a resource'), count(*),
        (select count(*) from records.audit_result where deleted_at is null),
        'no repository or service of this name has a team: they do not count',
        'name the team in the audit, or give the repository one'
    from records.audit_result as r
    where r.deleted_at is null and r.team is null and r.resource is not null
        and lower(r.resource) not in (
            select a.alias from repository_alias as a
            join service as s on s.repository_key = a.repository_key where s.team_id is not null
            union
            select n.name from service_name as n
            join service as s on s.service_id = n.service_id where s.team_id is not null)
    group by 2
    union all
    select 'audited controls that nothing else shows', control_title, count(*),
        (select count(*) from audit_observation),
        'no category of practices and no rule of a scanner is this control: no live scan of it',
        'map it under configuration.controls in leadline.toml'
    from audit_observation where control not in (select control from input.control)
    group by control_title
    union all
    select 'scanner rules without a control', tool, count(*) filter (where not is_mapped), count(*),
        'their findings are kept and compared nowhere',
        'map the rules that matter under configuration.controls in leadline.toml'
    from (
        select f.tool, f.rule, bool_or(k.control is not null) as is_mapped
        from (
            select distinct lower(tool) as tool, lower(rule) as rule
            from records.finding where deleted_at is null
        ) as f
        left join input.control_rule as k
            on regexp_full_match(f.rule, k.rule) and regexp_full_match(f.tool, k.tool)
        group by f.tool, f.rule
    )
    group by tool having count(*) filter (where not is_mapped) > 0
    union all
    select 'set-up requests without a service', case kind when 'ticket' then 'tickets' else label end,
        count(*), (select count(*) from setup_request as q where q.rule is null),
        'closed, and no service of the name they ask for is seen',
        'say under setup.name_pattern in leadline.toml how a title names its service'
    from setup_request
    where rule is null and service_id is null and outcome = 'done'
    group by 2
)
-- Two services may have one name.
select check_name, subject, cast(sum(count) as bigint) as count,
    cast(max(total) as bigint) as total, min(message) as message, min(help) as help
from found
group by check_name, subject
