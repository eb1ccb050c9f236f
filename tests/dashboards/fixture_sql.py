"""SQL of the fixture: the published tables, and metric rows worked out from the facts."""

SCHEMA = """
CREATE TABLE build (build_id VARCHAR, built_at TIMESTAMPTZ, as_of TIMESTAMPTZ,
  schema_version INTEGER, organisation VARCHAR, zone VARCHAR, seconds DOUBLE);
CREATE TABLE service (service_id VARCHAR, name VARCHAR, team_id VARCHAR, repository_key VARCHAR,
  repository_name VARCHAR, repository_url VARCHAR, archived_at TIMESTAMPTZ);
CREATE TABLE team (team_id VARCHAR, name VARCHAR, parent VARCHAR);
CREATE TABLE metric (metric VARCHAR, variant VARCHAR, entity_type VARCHAR, entity_id VARCHAR,
  environment VARCHAR, period VARCHAR, period_start DATE, period_end DATE, value DOUBLE,
  unit VARCHAR, n BIGINT, services BIGINT, ci_low DOUBLE, ci_high DOUBLE, method VARCHAR,
  reason VARCHAR, previous_value DOUBLE, previous_n BIGINT, is_partial BOOLEAN,
  definition_version INTEGER, as_of TIMESTAMPTZ);
CREATE TABLE change_fact (change_id VARCHAR, kind VARCHAR, number BIGINT, title VARCHAR,
  url VARCHAR, repository_key VARCHAR, repository_name VARCHAR, service_id VARCHAR,
  service_name VARCHAR, team_id VARCHAR, team_name VARCHAR, environment VARCHAR,
  relation VARCHAR, is_bot BOOLEAN, start_at TIMESTAMPTZ, ready_at TIMESTAMPTZ,
  first_review_at TIMESTAMPTZ, approved_at TIMESTAMPTZ, merged_at TIMESTAMPTZ,
  live_at TIMESTAMPTZ, deployment_id VARCHAR, deployment_url VARCHAR, lead_time_us BIGINT,
  coding_us BIGINT, pickup_us BIGINT, review_us BIGINT, merge_us BIGINT, deploy_us BIGINT,
  unreviewed_us BIGINT, business_lead_time_us BIGINT, flags VARCHAR[],
  exclusion VARCHAR, labels VARCHAR[], rolled_back_at TIMESTAMPTZ, live_again_at TIMESTAMPTZ);
CREATE TABLE deployment_fact (deployment_id VARCHAR, service_id VARCHAR, service_name VARCHAR,
  team_id VARCHAR, team_name VARCHAR, environment VARCHAR, environment_class VARCHAR,
  kind VARCHAR, outcome VARCHAR, origin VARCHAR, sha VARCHAR, ref VARCHAR, release VARCHAR,
  attempts BIGINT, started_at TIMESTAMPTZ, live_at TIMESTAMPTZ, changes BIGINT,
  is_counted BOOLEAN, is_resolved BOOLEAN, is_baseline BOOLEAN, url VARCHAR, is_failed BOOLEAN,
  confidence VARCHAR, recovery_us BIGINT, rework_state VARCHAR, rework_reason VARCHAR,
  is_immature BOOLEAN, reason VARCHAR);
CREATE TABLE ticket_fact (ticket_id VARCHAR, ticket_key VARCHAR, project VARCHAR, type VARCHAR,
  request_type VARCHAR, title VARCHAR, url VARCHAR, status VARCHAR, status_category VARCHAR,
  created_at TIMESTAMPTZ, started_at TIMESTAMPTZ, resolved_at TIMESTAMPTZ,
  cycle_time_us BIGINT, is_open BOOLEAN);
CREATE TABLE data_health (connection VARCHAR, kind VARCHAR, stream VARCHAR, scopes BIGINT,
  failing BIGINT, last_success_at TIMESTAMPTZ, last_full_at TIMESTAMPTZ, last_error VARCHAR,
  rows BIGINT, rejects BIGINT, requests BIGINT, coverage_from TIMESTAMPTZ,
  coverage_to TIMESTAMPTZ, lag_us BIGINT);
CREATE TABLE data_check (check_name VARCHAR, subject VARCHAR, count BIGINT, total BIGINT,
  message VARCHAR, help VARCHAR);
CREATE TABLE reject_fact (connection VARCHAR, stream VARCHAR, table_name VARCHAR, path VARCHAR,
  problem VARCHAR, excerpt VARCHAR, url VARCHAR, requested_at TIMESTAMPTZ);
CREATE TABLE exclusion (subject VARCHAR, rule VARCHAR, reason VARCHAR);
CREATE TABLE definition (name VARCHAR, version INTEGER, title VARCHAR, words VARCHAR,
  parameters VARCHAR, sql VARCHAR);
"""

METRICS = """
CREATE TEMP TABLE span AS
WITH today AS (SELECT CAST(as_of AS DATE) AS day FROM build),
     spans AS (
       SELECT days || 'd' AS period, day - CAST(days * (1 + back) AS INTEGER) AS from_day,
              day - CAST(days * back AS INTEGER) AS to_day, back = 1 AS is_previous
       FROM today, (VALUES (28), (91), (182), (365)) AS length(days), (VALUES (0), (1)) AS b(back)),
     weeks AS (
       SELECT CAST(unnest(generate_series(date_trunc('week', day - 546), day, INTERVAL 7 DAY))
              AS DATE) AS monday, day FROM today)
SELECT period, from_day, to_day, is_previous, FALSE AS is_partial FROM spans
UNION ALL
SELECT 'week', monday, monday + 7, FALSE, monday + 7 > day FROM weeks;

CREATE TEMP TABLE shipped AS
SELECT service_id, CAST(live_at AS DATE) AS day, lead_time_us / 3.6e9 AS hours,
       coalesce(coding_us, 0) / 3.6e9 AS coding, coalesce(pickup_us, 0) / 3.6e9 AS pickup,
       coalesce(review_us, 0) / 3.6e9 AS review, coalesce(merge_us, 0) / 3.6e9 AS merge,
       coalesce(deploy_us, 0) / 3.6e9 AS deploy, coalesce(unreviewed_us, 0) / 3.6e9 AS unreviewed
FROM change_fact WHERE relation = 'shipped' AND NOT is_bot AND exclusion IS NULL;

CREATE TEMP TABLE cell AS
WITH lead AS (
  SELECT service_id, s.*, count(*) AS n, median(hours) AS median,
         quantile_cont(hours, 0.75) AS p75, quantile_cont(hours, 0.9) AS p90,
         avg(coding) AS coding, avg(pickup) AS pickup, avg(review) AS review,
         avg(merge) AS merge, avg(deploy) AS deploy, avg(unreviewed) AS unreviewed,
         avg(hours) AS total
  FROM span AS s JOIN shipped AS c ON c.day >= s.from_day AND c.day < s.to_day GROUP BY ALL),
frequency AS (
  SELECT service_id, s.*, count(*) AS n, count(*) * 7.0 / max(to_day - from_day) AS per_week,
         count(DISTINCT CAST(live_at AS DATE)) * 7.0 / max(to_day - from_day) AS days_per_week
  FROM span AS s JOIN deployment_fact AS d
    ON d.is_counted AND CAST(d.live_at AS DATE) >= s.from_day AND CAST(d.live_at AS DATE) < s.to_day
  GROUP BY ALL),
waiting AS (
  SELECT service_id, s.*, count(*) AS n, CAST(count(*) AS DOUBLE) AS count,
         20.0 + count(*) AS median
  FROM span AS s JOIN change_fact AS c
    ON c.relation = 'not_live' AND CAST(c.merged_at AS DATE) >= s.from_day
   AND CAST(c.merged_at AS DATE) < s.to_day GROUP BY ALL),
failing AS (
  SELECT service_id, s.*, count(*) AS n, count(*) FILTER (is_failed) * 100.0 / count(*) AS failed,
         count(*) FILTER (is_failed AND confidence = 'high') * 100.0 / count(*) AS high,
         count(*) FILTER (rework_state = 'rework') * 100.0 / count(*) AS known,
         count(*) FILTER (rework_state <> 'planned') * 100.0 / count(*) AS possible
  FROM span AS s JOIN deployment_fact AS d
    ON d.is_counted AND CAST(d.live_at AS DATE) >= s.from_day AND CAST(d.live_at AS DATE) < s.to_day
  GROUP BY ALL),
recovery AS (
  SELECT service_id, s.*, count(*) AS n, median(recovery_us / 3.6e9) AS median,
         quantile_cont(recovery_us / 3.6e9, 0.75) AS p75,
         quantile_cont(recovery_us / 3.6e9, 0.9) AS p90
  FROM span AS s JOIN failure_fact AS d
    ON NOT d.is_open AND CAST(d.live_at AS DATE) >= s.from_day
   AND CAST(d.live_at AS DATE) < s.to_day
  GROUP BY ALL)
SELECT 'change_lead_time' AS metric, variant, service_id, period, from_day, to_day, is_previous,
       is_partial, n, CASE WHEN n >= least_n THEN value END AS value, 'h' AS unit
FROM lead, LATERAL (VALUES ('median', median, 5), ('p75', p75, 10), ('p90', p90, 20))
  AS v(variant, value, least_n)
UNION ALL
SELECT 'lead_time_stage', variant, service_id, period, from_day, to_day, is_previous, is_partial,
       n, CASE WHEN n >= 5 THEN value END, 'h'
FROM lead, LATERAL (VALUES ('coding', coding), ('pickup', pickup), ('review', review),
  ('merge', merge), ('deploy', deploy), ('unreviewed', unreviewed), ('total', total))
  AS v(variant, value)
UNION ALL
SELECT 'deployment_frequency', variant, service_id, period, from_day, to_day, is_previous,
       is_partial, n, value, unit
FROM frequency, LATERAL (VALUES ('per_week', per_week, 'per week'),
  ('days_per_week', days_per_week, 'days per week')) AS v(variant, value, unit)
UNION ALL
SELECT 'merged_not_live', variant, service_id, period, from_day, to_day, is_previous, is_partial,
       n, value, unit
FROM waiting, LATERAL (VALUES ('count', count, 'changes'), ('median', median, 'h'))
  AS v(variant, value, unit)
UNION ALL
SELECT 'change_lead_time', variant, service_id, period, from_day, to_day, is_previous, is_partial,
       n, value, 'h'
FROM lead, LATERAL (VALUES ('merge_to_live', deploy), ('open_to_live', total - coding),
  ('lasting', total), ('bots', total / 2)) AS v(variant, value)
WHERE period <> 'week'
UNION ALL
SELECT metric, variant, service_id, period, from_day, to_day, is_previous, is_partial, n, value, '%'
FROM failing, LATERAL (VALUES ('change_fail_rate', 'primary', failed),
  ('change_fail_rate', 'high', high), ('deployment_rework_rate', 'known', known),
  ('deployment_rework_rate', 'possible', possible), ('attempt_failure_rate', 'share', high / 2))
  AS v(metric, variant, value)
UNION ALL
SELECT metric, variant, service_id, period, from_day, to_day, is_previous, is_partial, n, value, 'h'
FROM recovery, LATERAL (VALUES ('failed_deployment_recovery_time', 'median', median),
  ('failed_deployment_recovery_time', 'p75', p75), ('failed_deployment_recovery_time', 'p90', p90),
  ('incident_duration', 'median', median)) AS v(metric, variant, value);

-- Every service has a row for every span: where nothing was seen the reason stands for the value.
CREATE TEMP TABLE full_cell AS
WITH kinds AS (SELECT DISTINCT metric, variant, unit FROM cell)
SELECT k.metric, k.variant, k.unit, e.service_id, e.team_id, s.*, coalesce(c.n, 0) AS n, c.value,
       CASE WHEN c.value IS NOT NULL THEN NULL
            WHEN e.service_id NOT IN (SELECT service_id FROM deployment_fact)
              THEN 'no deployments observed'
            WHEN c.n IS NULL THEN 'nothing shipped in this period'
            ELSE 'too few changes: ' || c.n END AS reason
FROM kinds AS k CROSS JOIN service AS e CROSS JOIN span AS s
LEFT JOIN cell AS c ON (c.metric, c.variant, c.service_id, c.period, c.from_day)
  = (k.metric, k.variant, e.service_id, s.period, s.from_day);

CREATE TEMP TABLE entity_cell AS
SELECT metric, variant, unit, 'service' AS entity_type, service_id AS entity_id, period, from_day,
       to_day, is_previous, is_partial, n, value, reason, 1 AS services,
       greatest(value * exp(-1.6 / sqrt(nullif(n, 0))), 0) AS ci_low,
       value * exp(1.6 / sqrt(nullif(n, 0))) AS ci_high, 'exact order statistics' AS method
FROM full_cell
UNION ALL
SELECT metric, variant, unit, level.entity_type,
       CASE level.entity_type WHEN 'team' THEN team_id ELSE '' END AS entity_id, period, from_day,
       to_day, is_previous, is_partial, sum(n),
       CASE WHEN max(metric) = 'lead_time_stage' THEN avg(value)
            WHEN max(variant) = 'count' THEN sum(value) ELSE median(value) END,
       CASE WHEN count(value) = 0 THEN max(reason) END, count(value),
       CASE WHEN count(value) > 2 THEN quantile_cont(value, 0.3) END,
       CASE WHEN count(value) > 2 THEN quantile_cont(value, 0.7) END,
       'median of ' || count(value) || ' services'
FROM full_cell CROSS JOIN (VALUES ('team'), ('organisation')) AS level(entity_type)
WHERE level.entity_type = 'organisation' OR team_id IS NOT NULL
GROUP BY metric, variant, unit, level.entity_type,
         CASE level.entity_type WHEN 'team' THEN team_id ELSE '' END, period, from_day, to_day,
         is_previous, is_partial;

INSERT INTO metric
SELECT c.metric, c.variant, c.entity_type, c.entity_id, 'production', c.period, c.from_day,
       c.to_day, c.value, c.unit, c.n, c.services, c.ci_low, c.ci_high, c.method, c.reason,
       p.value, p.n, c.is_partial, 1, (SELECT as_of FROM build)
FROM entity_cell AS c
LEFT JOIN entity_cell AS p ON p.is_previous
  AND (p.metric, p.variant, p.entity_type, p.entity_id, p.period)
    = (c.metric, c.variant, c.entity_type, c.entity_id, c.period)
WHERE NOT c.is_previous
ORDER BY c.entity_type, c.entity_id, c.metric, c.variant, c.period, c.from_day;
UPDATE change_fact SET team_name = t.name FROM team AS t WHERE t.team_id = change_fact.team_id;
UPDATE deployment_fact SET team_name = t.name
FROM team AS t WHERE t.team_id = deployment_fact.team_id;
"""
