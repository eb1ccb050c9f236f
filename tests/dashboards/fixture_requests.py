"""SQL of the fixture: the infrastructure team's hours, tickets and text model."""

SCHEMA = """
CREATE TABLE request_measure (threshold VARCHAR, evaluated_at TIMESTAMPTZ, value DOUBLE,
  unit VARCHAR, ci_low DOUBLE, ci_high DOUBLE, threshold_value DOUBLE, n BIGINT,
  measured_state VARCHAR, direction VARCHAR, reason VARCHAR, missing VARCHAR[],
  evidence VARCHAR, coverage DOUBLE, coverage_text VARCHAR, parameters VARCHAR);
CREATE TABLE request_variant (threshold VARCHAR, evaluated_at TIMESTAMPTZ, variant VARCHAR,
  value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, n BIGINT, state VARCHAR);
CREATE TABLE request_hours (is_infrastructure BOOLEAN, week DATE, source VARCHAR,
  request_us BIGINT, build_us BIGINT, incident_us BIGINT, overhead_us BIGINT,
  unclassified_us BIGINT, tickets BIGINT, people BIGINT, available_us BIGINT);
CREATE TABLE request_flow (week DATE, requests BIGINT, engineers BIGINT, per_engineer DOUBLE,
  open_requests BIGINT, median_age_us BIGINT);
CREATE TABLE request_spread (is_infrastructure BOOLEAN, source VARCHAR, people BIGINT,
  quarter DOUBLE, median DOUBLE, three_quarters DOUBLE);
CREATE TABLE request_fact (ticket_id VARCHAR, ticket_key VARCHAR, title VARCHAR, url VARCHAR,
  project VARCHAR, type VARCHAR, request_type VARCHAR, class VARCHAR, method VARCHAR,
  rule VARCHAR, probability DOUBLE, team_name VARCHAR, status VARCHAR, created_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ, resolved_at TIMESTAMPTZ, is_open BOOLEAN, duration_us BIGINT,
  first_response_us BIGINT, goals BIGINT, goals_missed BIGINT);
CREATE TABLE ticket_model (model VARCHAR, is_used BOOLEAN, reason VARCHAR, unread BIGINT,
  read BIGINT, tickets BIGINT, classes BIGINT, accuracy DOUBLE, majority_share DOUBLE,
  answered BIGINT, answered_share DOUBLE, answered_right BIGINT, answered_accuracy DOUBLE,
  unfamiliar BIGINT, brier DOUBLE, calibration_error DOUBLE, temperature DOUBLE);
CREATE TABLE ticket_model_bin (bin DOUBLE, tickets BIGINT, mean_probability DOUBLE,
  right_share DOUBLE);
"""

# Sixty weeks of five people: building gives way to requests; the last ticket is hostile.
FILLED = """
INSERT INTO request_hours
SELECT TRUE, DATE '2026-11-09' - CAST(7 * n AS INTEGER), 'worklogs',
  CAST((120 - n) * 3.6e9 AS BIGINT), CAST((40 + n) * 3.6e9 AS BIGINT), CAST(12 * 3.6e9 AS BIGINT),
  CAST(4 * 3.6e9 AS BIGINT), CAST(6 * 3.6e9 AS BIGINT), 40, 5, CAST(200 * 3.6e9 AS BIGINT)
FROM range(60) AS weeks(n);
INSERT INTO request_flow
SELECT DATE '2026-11-09' - CAST(7 * n AS INTEGER), 40 - n // 3, 90,
  (40 - n // 3) / 90.0, 12 + n % 7,
  CAST(60 * 3.6e9 AS BIGINT)
FROM range(60) AS weeks(n);
INSERT INTO request_spread VALUES (TRUE, 'worklogs', 5, 0.6, 0.7, 0.8),
  (FALSE, 'worklogs', 3, NULL, NULL, NULL);
INSERT INTO request_measure VALUES ('requests', TIMESTAMPTZ '2026-10-25 23:00:00+00', 0.73,
  'share', 0.66, 0.79, 0.5, 13, 'crossed', NULL,
  '73 % of the hours went to requests. That is more than 50 %.', [], 'hours from logged time', 0.9,
  '97 % of the tracked hours have a class, 90 % of the working hours are tracked', '{}');
INSERT INTO request_variant VALUES ('requests', TIMESTAMPTZ '2026-10-25 23:00:00+00',
  'incidents counted as building', 0.68, 0.6, 0.75, 13, 'crossed'),
  ('requests', TIMESTAMPTZ '2026-10-25 23:00:00+00', 'hours from sessions of activity', NULL,
  NULL, NULL, 5, 'insufficient');
INSERT INTO request_fact
SELECT 'jira:issue:' || n, 'INF-' || n, 'Grant access ' || n,
  'https://jira.example/browse/INF-' || n,
  'INF', 'Task', CASE WHEN n % 3 = 0 THEN 'Access' END,
  ['request', 'build', 'incident', 'unclassified'][1 + n % 4],
  ['type', 'label', 'text', 'none'][1 + n % 4], 'type Access',
  CASE WHEN n % 4 = 2 THEN 0.8 END, 'Ledger', 'Done', TIMESTAMPTZ '2026-11-01 08:00:00+00',
  NULL, NULL, n % 5 = 0, CASE WHEN n % 6 <> 0 THEN CAST(n * 1e8 AS BIGINT) END,
  CASE WHEN n % 2 = 0 THEN CAST(n * 1e8 AS BIGINT) END, CASE WHEN n % 2 = 0 THEN 2 END,
  CASE WHEN n % 2 = 0 THEN n % 3 END
FROM range(1, 120) AS tickets(n);
INSERT INTO ticket_model VALUES ('text', TRUE, NULL, 60, 30, 400, 3, 0.86, 0.55, 340, 0.85, 310,
  0.912, 9, 0.21, 0.03, 0.9);
INSERT INTO ticket_model_bin VALUES (0.4, 20, 0.45, 0.5), (0.6, 60, 0.66, 0.6),
  (0.9, 320, 0.95, 0.94);
"""


def hostile(text: str) -> str:
    """SQL that gives tickets the hostile text wherever a source could put it."""
    quoted = text.replace("'", "''")
    return (
        f"UPDATE request_fact SET title = '{quoted}', url = 'javascript:alert(1)',"
        f" rule = '{quoted}', team_name = '{quoted}', request_type = '{quoted}'"
    )
