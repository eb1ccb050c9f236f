"""SQL of the fixture: what stands behind the facts, and what values are held against."""

SCHEMA = """
CREATE TABLE failure_signal (signal_id VARCHAR, deployment_id VARCHAR, link_method VARCHAR,
  confidence VARCHAR, "at" TIMESTAMPTZ, subject VARCHAR, subject_url VARCHAR, evidence VARCHAR,
  mending_deployment_id VARCHAR, is_primary BOOLEAN);
CREATE TABLE failure_fact (deployment_id VARCHAR, service_id VARCHAR, environment VARCHAR,
  live_at TIMESTAMPTZ, methods VARCHAR[], confidence VARCHAR, signals BIGINT, incidents BIGINT,
  is_high BOOLEAN, is_primary BOOLEAN, is_by_time BOOLEAN, failed_at TIMESTAMPTZ,
  recovered_at TIMESTAMPTZ, recovery_us BIGINT, recovered_by VARCHAR,
  recovery_deployment_id VARCHAR, is_open BOOLEAN, service_name VARCHAR, team_id VARCHAR,
  team_name VARCHAR, kind VARCHAR, outcome VARCHAR, version VARCHAR, deployment_url VARCHAR,
  signs VARCHAR, evidence VARCHAR[], evidence_urls VARCHAR[], is_immature BOOLEAN);
CREATE TABLE incident_fact (incident_id VARCHAR, source VARCHAR, connection VARCHAR,
  title VARCHAR, severity VARCHAR, url VARCHAR, service_id VARCHAR, service_name VARCHAR,
  team_id VARCHAR, team_name VARCHAR, started_at TIMESTAMPTZ, created_at TIMESTAMPTZ,
  acknowledged_at TIMESTAMPTZ, resolved_at TIMESTAMPTZ, is_open BOOLEAN, duration_us BIGINT,
  deployment_id VARCHAR, deployment_service_name VARCHAR, environment VARCHAR, version VARCHAR,
  deployment_url VARCHAR, live_at TIMESTAMPTZ, link_method VARCHAR, confidence VARCHAR,
  reason VARCHAR, candidates BIGINT, is_rejected BOOLEAN, refs VARCHAR[]);
CREATE TABLE incident_coverage (service_id VARCHAR, environment VARCHAR, period VARCHAR,
  period_start DATE, incidents BIGINT, covered_share DOUBLE, expected_by_chance DOUBLE,
  is_time_used BOOLEAN);
CREATE TABLE rework (deployment_id VARCHAR, state VARCHAR, reason VARCHAR,
  contains_fix BOOLEAN, changes BIGINT, fixes BIGINT);
CREATE TABLE deployment (deployment_id VARCHAR, service_id VARCHAR, environment VARCHAR,
  environment_class VARCHAR, kind VARCHAR, relation VARCHAR, outcome VARCHAR, origin VARCHAR,
  repository_key VARCHAR, sha VARCHAR, manifest_sha VARCHAR, ref VARCHAR, release VARCHAR,
  url VARCHAR, attempts BIGINT, started_at TIMESTAMPTZ, live_at TIMESTAMPTZ,
  ended_at TIMESTAMPTZ, is_counted BOOLEAN, is_resolved BOOLEAN, is_baseline BOOLEAN,
  live_deployment_id VARCHAR, failed_deployment_id VARCHAR, undone_deployment_ids VARCHAR[],
  dropped BIGINT);
CREATE TABLE service_attempt (service_id VARCHAR, attempt_id VARCHAR, environment VARCHAR,
  sha VARCHAR, started_at TIMESTAMPTZ, live_at TIMESTAMPTZ, failed_at TIMESTAMPTZ,
  cancelled_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, url VARCHAR);
CREATE TABLE deployment_origin (repository_key VARCHAR, origin VARCHAR, pattern VARCHAR,
  environment VARCHAR, is_ruled BOOLEAN);
CREATE TABLE service_slice (service_id VARCHAR, environment VARCHAR);
CREATE TABLE shipment (service_id VARCHAR, environment VARCHAR, commit_no BIGINT,
  deployment_id VARCHAR, relation VARCHAR);
CREATE TABLE change (change_id VARCHAR, repository_key VARCHAR, kind VARCHAR, number BIGINT,
  title VARCHAR, url VARCHAR, is_bot BOOLEAN, base_branch VARCHAR, head_branch VARCHAR,
  head_sha VARCHAR, merge_sha VARCHAR, labels VARCHAR[], opened_at TIMESTAMPTZ,
  is_start_from_committer BOOLEAN, is_without_commits BOOLEAN, ready_at TIMESTAMPTZ,
  first_review_at TIMESTAMPTZ, approved_at TIMESTAMPTZ, merged_at TIMESTAMPTZ,
  start_at TIMESTAMPTZ);
CREATE TABLE change_key (change_id VARCHAR, merged_at TIMESTAMPTZ, commit_no BIGINT,
  sha VARCHAR);
CREATE TABLE change_evidence (change_id VARCHAR, merged_at TIMESTAMPTZ, kind VARCHAR,
  item_id VARCHAR, moment TIMESTAMPTZ, committed_at TIMESTAMPTZ, title VARCHAR, state VARCHAR,
  is_considered BOOLEAN, note VARCHAR);
CREATE TABLE live_change (change_id VARCHAR, service_id VARCHAR, environment VARCHAR,
  deployment_id VARCHAR, live_at TIMESTAMPTZ, relation VARCHAR, is_bot BOOLEAN,
  lead_time_us BIGINT);
CREATE TABLE metric_reference (metric VARCHAR, variant VARCHAR, entity_type VARCHAR,
  entity_id VARCHAR, environment VARCHAR, period VARCHAR, label VARCHAR, label_low VARCHAR,
  label_high VARCHAR, percentile_low DOUBLE, percentile_high DOUBLE, reason VARCHAR,
  report_year BIGINT, source VARCHAR, note VARCHAR);
CREATE TABLE metric_goal (metric VARCHAR, entity_type VARCHAR, entity_id VARCHAR,
  period VARCHAR, name VARCHAR, target DOUBLE, unit VARCHAR, target_text VARCHAR,
  direction VARCHAR, value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, state VARCHAR,
  reason VARCHAR, meeting BIGINT, services BIGINT, previous_state VARCHAR,
  previous_value DOUBLE);
CREATE TABLE metric_stability (metric VARCHAR, variant VARCHAR, entity_type VARCHAR,
  entity_id VARCHAR, week DATE, value DOUBLE, centre DOUBLE, low DOUBLE, high DOUBLE,
  moving_range DOUBLE, signal VARCHAR, is_baseline BOOLEAN, segment BIGINT, is_recent BOOLEAN,
  expected_by_chance DOUBLE);
"""

CORE = """
UPDATE change_fact SET exclusion = 'generated code' WHERE number % 97 = 0;
INSERT INTO exclusion SELECT change_id, 'settings 1', exclusion FROM change_fact
WHERE exclusion IS NOT NULL;
UPDATE change_fact SET rolled_back_at = live_at + INTERVAL 1 DAY,
  live_again_at = live_at + INTERVAL 2 DAY WHERE number % 50 = 1 AND relation = 'shipped';

INSERT INTO deployment BY NAME
SELECT deployment_id, service_id, environment, environment_class, kind,
       CASE WHEN live_at IS NULL THEN 'not_live' WHEN kind IN ('rollback', 'redeploy') THEN kind
            ELSE 'normal' END AS relation, outcome, origin, service_id AS repository_key, sha, ref,
       release, url, attempts, started_at, live_at,
       coalesce(live_at, started_at + INTERVAL 9 MINUTE) AS ended_at, is_counted, is_resolved,
       is_baseline, lag(deployment_id) OVER before AS live_deployment_id,
       CASE WHEN kind = 'rollback' THEN lag(deployment_id) OVER before END AS failed_deployment_id,
       CAST([] AS VARCHAR[]) AS undone_deployment_ids
FROM deployment_fact
WINDOW before AS (PARTITION BY service_id, live_at IS NULL ORDER BY started_at, deployment_id);

INSERT INTO service_attempt
SELECT service_id, 'attempt-' || n || '-' || deployment_id, environment, sha,
       started_at + n * INTERVAL 2 MINUTE, CASE WHEN n = 1 THEN live_at END,
       CASE WHEN n = 0 THEN started_at + INTERVAL 1 MINUTE END, NULL,
       coalesce(live_at, started_at + INTERVAL 3 MINUTE), url
FROM deployment_fact, (VALUES (0), (1)) AS tries(n);
UPDATE deployment SET attempts = 2;

INSERT INTO deployment_origin
SELECT service_id, 'deployments_api', NULL, 'production', FALSE FROM service;

INSERT INTO failure_signal
SELECT 'rollback:' || deployment_id || '>' || failed_deployment_id, failed_deployment_id,
       'rollback', 'high', live_at, deployment_id, url, 'rolled back to ' || release,
       deployment_id, TRUE
FROM deployment WHERE kind = 'rollback' AND live_at IS NOT NULL
  AND failed_deployment_id IS NOT NULL;
INSERT INTO failure_signal
SELECT 'incident_time:incident:' || deployment_id, deployment_id, 'incident_time', 'medium',
       live_at + INTERVAL 40 MINUTE, 'incident:' || deployment_id,
       'https://jira.example/' || release,
       'an incident of the service began soon after: checkout is slow', NULL, TRUE
FROM deployment WHERE is_counted AND hash(deployment_id) % 23 = 0;

INSERT INTO failure_fact BY NAME
WITH signalled AS (
  SELECT deployment_id, list_sort(list_distinct(list(link_method))) AS methods,
         CASE WHEN bool_or(confidence = 'high') THEN 'high' ELSE 'medium' END AS confidence,
         count(*) AS signals, count(*) FILTER (link_method = 'incident_time') AS incidents,
         bool_or(confidence = 'high') AS is_high, list(evidence ORDER BY signal_id) AS evidence,
         list(subject_url ORDER BY signal_id) AS evidence_urls,
         max(mending_deployment_id) AS recovery_deployment_id
  FROM failure_signal GROUP BY deployment_id),
ended AS (
  SELECT s.*, d.* EXCLUDE (deployment_id), hash(deployment_id || 'x') % 11 = 0 AS is_open,
         CAST((20 + hash(deployment_id) % 900) * 60000000 AS BIGINT) AS took_us
  FROM signalled AS s JOIN deployment_fact AS d USING (deployment_id))
SELECT deployment_id, service_id, environment, live_at, methods, confidence, signals, incidents,
       is_high, TRUE AS is_primary, NOT is_high AS is_by_time, live_at AS failed_at,
       CASE WHEN NOT is_open THEN live_at + to_microseconds(took_us) END AS recovered_at,
       CASE WHEN NOT is_open THEN took_us END AS recovery_us,
       CASE WHEN is_open THEN NULL WHEN is_high THEN 'rollback' ELSE 'incident resolved' END
         AS recovered_by, recovery_deployment_id, is_open, service_name, team_id, team_name, kind,
       outcome, release AS version, url AS deployment_url,
       CASE WHEN is_high THEN 'rolled back' ELSE 'incident soon after' END AS signs, evidence,
       evidence_urls, live_at > (SELECT as_of FROM build) - INTERVAL 7 DAY AS is_immature
FROM ended;

INSERT INTO incident_fact BY NAME
SELECT s.subject AS incident_id, 'ticket' AS source, 'jira' AS connection,
       'Checkout is slow' AS title, 'high' AS severity, s.subject_url AS url, f.service_id,
       f.service_name, f.team_id, s."at" AS started_at, s."at" AS created_at,
       f.recovered_at AS resolved_at, f.is_open, f.recovery_us AS duration_us, f.deployment_id,
       f.service_name AS deployment_service_name, f.environment, f.version, f.deployment_url,
       f.live_at, s.link_method, s.confidence, 1 AS candidates, FALSE AS is_rejected
FROM failure_signal AS s JOIN failure_fact AS f USING (deployment_id)
WHERE s.link_method = 'incident_time'
UNION ALL BY NAME
SELECT 'incident:free:' || deployment_id AS incident_id, 'incident' AS source,
       'files' AS connection, service_name || ' is down' AS title, 'low' AS severity,
       'https://pages.example/' || release AS url, service_id, service_name, team_id,
       live_at + INTERVAL 3 DAY AS started_at, live_at + INTERVAL 3 DAY AS created_at,
       live_at + INTERVAL 75 HOUR AS resolved_at, FALSE AS is_open,
       CAST(3 AS BIGINT) * 3600000000 AS duration_us, 0 AS candidates, FALSE AS is_rejected
FROM deployment_fact WHERE is_counted AND hash(deployment_id) % 57 = 3;
UPDATE incident_fact SET reason = 'no deployment was live within 24 hours before it'
WHERE deployment_id IS NULL;

UPDATE deployment_fact SET is_failed = CASE WHEN is_counted THEN FALSE END,
  is_immature = is_counted AND live_at > (SELECT as_of FROM build) - INTERVAL 7 DAY;
UPDATE deployment_fact SET is_failed = TRUE, confidence = f.confidence, recovery_us = f.recovery_us
FROM failure_fact AS f WHERE f.deployment_id = deployment_fact.deployment_id;

INSERT INTO rework
SELECT deployment_id,
       CASE WHEN kind = 'rollback' OR hash(deployment_id) % 12 = 0 THEN 'rework'
            WHEN hash(deployment_id) % 12 < 3 THEN 'unknown' ELSE 'planned' END AS state,
       CASE WHEN kind = 'rollback' THEN 'it is a rollback'
            WHEN hash(deployment_id) % 12 = 0 THEN 'all that people changed in it are fixes'
            WHEN hash(deployment_id) % 12 < 3
              THEN 'no ticket, label, branch or revert mark says what its changes are'
            ELSE 'it ships planned work' END, hash(deployment_id) % 12 = 0, 1, 0
FROM deployment_fact WHERE is_counted;
UPDATE deployment_fact SET rework_state = r.state, rework_reason = r.reason
FROM rework AS r WHERE r.deployment_id = deployment_fact.deployment_id;

INSERT INTO change BY NAME
SELECT change_id, repository_key, kind, number, title, url, is_bot, 'main' AS base_branch,
       'feature/' || number AS head_branch, md5(change_id) || '00000000' AS head_sha,
       md5(change_id || 'm') || '00000000' AS merge_sha, CAST([] AS VARCHAR[]) AS labels,
       ready_at AS opened_at, FALSE AS is_start_from_committer, FALSE AS is_without_commits,
       ready_at, first_review_at, approved_at, merged_at, start_at
FROM change_fact;
INSERT INTO change_key
SELECT change_id, merged_at, row_number() OVER (ORDER BY change_id), merge_sha FROM change;
INSERT INTO shipment
SELECT f.service_id, place, k.commit_no, f.deployment_id, 'shipped'
FROM change_key AS k JOIN change_fact AS f USING (change_id),
     (VALUES (''), ('production-eu')) AS places(place)
WHERE f.deployment_id IS NOT NULL;
INSERT INTO change_evidence
SELECT change_id, merged_at, 'commit', head_sha, start_at, start_at + INTERVAL 1 HOUR, title,
       NULL, TRUE, 'not in the history as such: squashed or rebased' FROM change
UNION ALL
SELECT change_id, merged_at, 'commit', merge_sha, merged_at, merged_at, title, NULL, FALSE,
       'written by the merge' FROM change
UNION ALL
SELECT change_id, merged_at, 'review', 'r' || number, first_review_at, NULL, NULL, 'commented',
       TRUE, 'by somebody else' FROM change WHERE first_review_at IS NOT NULL
UNION ALL
SELECT change_id, merged_at, 'review', 'b' || number, ready_at, NULL, NULL, 'commented', FALSE,
       'by a machine' FROM change;
INSERT INTO live_change
SELECT change_id, service_id, 'production', deployment_id, live_at, relation, is_bot, lead_time_us
FROM change_fact WHERE relation <> 'not_live';
"""

HELD = """
-- Nine services deploy to a second production environment: their first one is shown apart.
INSERT INTO metric BY NAME
SELECT * REPLACE ('production-eu' AS environment) FROM metric
WHERE metric IN ('change_lead_time', 'deployment_frequency', 'change_fail_rate')
  AND (entity_type = 'organisation' OR entity_id IN (
    SELECT service_id FROM service ORDER BY service_id LIMIT 9));
INSERT INTO service_slice
SELECT DISTINCT entity_id AS service_id, environment FROM metric WHERE entity_type = 'service';
INSERT INTO live_change
SELECT change_id, service_id, 'production-eu', deployment_id, live_at + INTERVAL 1 HOUR, relation,
       is_bot, lead_time_us + 3600000000
FROM change_fact WHERE relation <> 'not_live';

INSERT INTO incident_coverage
SELECT service_id, 'production', period, from_day, 4, 0.31, 1.24, TRUE
FROM service, span WHERE NOT is_previous AND period <> 'week';

INSERT INTO metric_reference BY NAME
SELECT m.metric, m.variant, m.entity_type, m.entity_id, m.environment, m.period, b.label,
       coalesce((SELECT max(label) FROM reference_bin AS l WHERE l.report_year = 2025
         AND l.metric = m.metric AND m.ci_low >= l.low AND (l.high IS NULL OR m.ci_low < l.high)),
         'open') AS label_low,
       coalesce((SELECT max(label) FROM reference_bin AS l WHERE l.report_year = 2025
         AND l.metric = m.metric AND m.ci_high >= l.low AND (l.high IS NULL OR m.ci_high < l.high)),
         'open') AS label_high,
       b.percentile_low, b.percentile_high, 2025 AS report_year, b.source, b.note
FROM metric AS m JOIN reference_bin AS b ON b.report_year = 2025 AND b.metric = m.metric
  AND m.value >= b.low AND (b.high IS NULL OR m.value < b.high)
WHERE m.period <> 'week' AND (m.metric, m.variant) IN (('deployment_frequency', 'per_week'),
  ('change_lead_time', 'median'), ('change_fail_rate', 'primary'),
  ('failed_deployment_recovery_time', 'median'), ('deployment_rework_rate', 'known'));

INSERT INTO metric_goal BY NAME
SELECT m.metric, m.entity_type, m.entity_id, m.period,
       coalesce(t.name, s.name, 'the organisation') AS name, target, m.unit, target_text,
       'at most' AS direction, m.value, m.ci_low, m.ci_high,
       CASE WHEN m.value IS NULL THEN 'not enough data' WHEN m.value > target THEN 'missed'
            WHEN m.ci_high <= target THEN 'attained' ELSE 'at risk' END AS state, m.reason,
       CASE WHEN m.entity_type <> 'service' THEN 1 END AS meeting,
       CASE WHEN m.entity_type <> 'service' THEN 2 END AS services
FROM metric AS m
JOIN (VALUES ('change_lead_time', 'median', 48.0, '2 d'),
  ('change_fail_rate', 'primary', 5.0, '5 %')) AS g(metric, variant, target, target_text)
  ON (g.metric, g.variant) = (m.metric, m.variant)
LEFT JOIN team AS t ON t.team_id = m.entity_id
LEFT JOIN service AS s ON s.service_id = m.entity_id
WHERE m.period <> 'week';

INSERT INTO metric_stability
SELECT metric, variant, entity_type, entity_id, period_start, value,
       median(value) OVER each_one, median(value) OVER each_one * 0.45,
       median(value) OVER each_one * 1.9, NULL,
       CASE WHEN row_number() OVER latest = 3 THEN 'beyond the limits' END, FALSE, 1,
       row_number() OVER latest = 3, 0.4
FROM metric WHERE period = 'week' AND NOT is_partial AND value IS NOT NULL
  AND (metric, variant) IN (('deployment_frequency', 'per_week'), ('change_lead_time', 'median'))
WINDOW each_one AS (PARTITION BY metric, variant, entity_type, entity_id),
       latest AS (PARTITION BY metric, variant, entity_type, entity_id ORDER BY period_start DESC);
"""

WITHOUT_INCIDENTS = """
DELETE FROM incident_fact;
DELETE FROM failure_signal WHERE link_method = 'incident_time';
DELETE FROM failure_fact WHERE NOT is_high;
UPDATE deployment_fact SET is_failed = FALSE, confidence = NULL WHERE confidence = 'medium';
"""

AT_LEAST = """
INSERT INTO metric BY NAME
SELECT * REPLACE ('at_least' AS variant, NULL AS ci_high) FROM metric
WHERE metric = 'change_fail_rate' AND variant = 'primary';
UPDATE metric SET value = NULL, ci_low = NULL, ci_high = NULL, previous_value = NULL,
  reason = 'no incident source covers this service'
WHERE metric IN ('change_fail_rate', 'failed_deployment_recovery_time', 'incident_duration')
  AND variant <> 'at_least';
"""
