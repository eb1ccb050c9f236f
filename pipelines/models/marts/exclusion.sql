-- One row per thing left out of a number, with the rule and its reason.
-- key: subject, rule
select change_id as subject, 'change:' || kind as rule,
    case kind
        when 'stacked' then 'merged into a branch that is no release: folded into the request that carries it'
        when 'backport' then 'the same commits as another change, picked or written again: it counts once'
        else 'from a long-lived branch: a promotion of other changes'
    end as reason
from change where kind in ('stacked', 'promotion', 'backport')
union all
select change_id, 'change:bot', 'opened by a machine: shown apart'
from change where is_bot and kind not in ('stacked', 'promotion', 'backport')
union all
select change_id, case exclusion_rule when 'absurd dates' then 'change:absurd' else exclusion_rule end,
    exclusion
from change where exclusion is not null
union all
select change_id, 'change:unowned', 'touches only paths that belong to no service'
from change
where kind not in ('stacked', 'promotion', 'backport')
    and change_id not in (select change_id from change_service)
union all
select attempt_id, 'deployment:absurd', 'before 2000, or more than a day after the last pull'
from attempt where is_absurd
union all
select attempt_id, 'deployment:applications', 'brings descriptions of applications alone, which deploy by themselves'
from records.deployment_attempt where deleted_at is null and content = 'applications'
union all
select attempt_id, 'deployment:beside', 'an image of no known source, beside others that came with it'
from records.deployment_attempt
where deleted_at is null and content is distinct from 'applications'
    and attempt_id not in (select attempt_id from attempt_repository)
union all
select distinct attempt_id, 'deployment:retold', 'a sync of the same service and environment tells it'
from retold_attempt
union all
select distinct attempt_id, 'deployment:second_name', 'another name of a release that has one'
from second_name
union all
select distinct change_id, 'change:baseline', 'already in the first deployment seen'
from change_fact where relation = 'baseline'
union all
select distinct change_id, 'change:interval', 'shipped between deployments whose commit is unknown'
from change_fact where relation = 'interval_censored'
union all
select distinct change_id, 'change:negative', 'live before it started: clocks disagree'
from change_fact where relation = 'shipped' and live_at < start_at
union all
select distinct change_id, 'change:absurd', 'dated before 2000: no lead time'
from change_fact where relation = 'shipped' and live_at >= start_at and start_at < '2000-01-01'
    and change_id not in (select change_id from change where exclusion_rule = 'absurd dates')
union all
select deployment_id, 'deployment:' || case
        when live_at is null then 'not_live'
        when environment_class <> 'production' then 'environment'
        when kind = 'redeploy' then 'redeploy'
        when sha is null then 'without_commit'
        else 'unresolved' end, reason
from deployment_fact where not is_counted or not is_resolved
union all
select deployment_id, 'deployment:immature',
    'live too short a time for failures to show: not yet in fail rate and recovery'
from deployment_fact where is_immature
union all
select setup_id, 'setup:' || replace(coalesce(rule, state), ' ', '_'), reason
from setup_fact where state in ('left out', 'unknown', 'young')
union all
select c.service_id, 'setup:unknown_start', 'owns paths of a repository whose first commit is not known'
from setup_candidate as c
where c.begun_at is null
    and c.service_id not in (select service_id from service_setup where service_id is not null)
union all
select request_id, 'setup:' || replace(rule, ' ', '_'), case rule
        when 'other template' then 'a template that makes no service'
        when 'no repository' then 'ran to its end and made no repository'
        when 'duplicate' then 'a duplicate of another request'
        else 'names a service that existed already' end
from setup_request
where rule is not null and request_id not in (select setup_id from service_setup)
union all
select worklog_id, 'worklog:absurd', 'no or negative time, or over a week at once: not logged hours'
from records.worklog
where deleted_at is null and (duration_us <= 0 or duration_us > 604800000000)
union all
select ticket_id, 'ticket:negative', 'resolved before it was created: in no effort per type'
from ticket_fact where resolved_at < created_at
