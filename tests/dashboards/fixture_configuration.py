"""Practices and audits for pages: eight teams, one apart, two audits, a standard, an exception."""

from datetime import datetime

import duckdb

SCHEMA = """
CREATE TABLE configuration_measure (threshold VARCHAR, evaluated_at TIMESTAMPTZ, value DOUBLE,
    unit VARCHAR, ci_low DOUBLE, ci_high DOUBLE, threshold_value DOUBLE, n BIGINT,
    measured_state VARCHAR, direction VARCHAR, reason VARCHAR, missing VARCHAR[], evidence
    VARCHAR, coverage DOUBLE, coverage_text VARCHAR, parameters VARCHAR);
CREATE TABLE configuration_variant (threshold VARCHAR, evaluated_at TIMESTAMPTZ, variant
    VARCHAR, value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, n BIGINT, state VARCHAR);
CREATE TABLE practice_spread (moment_at TIMESTAMPTZ, is_evaluation BOOLEAN, is_now BOOLEAN,
    category VARCHAR, control VARCHAR, title VARCHAR, is_critical BOOLEAN, teams BIGINT,
    approaches BIGINT, effective_shannon DOUBLE, effective_simpson DOUBLE, disagreement DOUBLE,
    modal_approach VARCHAR, modal_share DOUBLE, conformance DOUBLE, with_standard BIGINT,
    outliers VARCHAR[], followed BIGINT, drifted VARCHAR[], disagreement_change DOUBLE);
CREATE TABLE team_control (moment_at TIMESTAMPTZ, control VARCHAR, source VARCHAR, team_id
    VARCHAR, approaches VARCHAR[], files BIGINT, evidence VARCHAR, is_excepted BOOLEAN,
    exception VARCHAR, exception_until TIMESTAMPTZ);
CREATE TABLE team_scope (moment_at TIMESTAMPTZ, team_id VARCHAR, repositories BIGINT, scanned
    BIGINT);
CREATE TABLE live_control (moment_at TIMESTAMPTZ, control VARCHAR, source VARCHAR, title
    VARCHAR, category VARCHAR, is_critical BOOLEAN, teams BIGINT, compared BIGINT, differing
    BIGINT, is_inconsistent BOOLEAN, is_different BOOLEAN);
CREATE TABLE practice_fact (team_id VARCHAR, team_name VARCHAR, repository_key VARCHAR,
    repository_name VARCHAR, category VARCHAR, control VARCHAR, is_critical BOOLEAN, approach
    VARCHAR, approach_title VARCHAR, path VARCHAR, at_line BIGINT, url VARCHAR, sha VARCHAR,
    since_at TIMESTAMPTZ, scanned_at TIMESTAMPTZ, standard VARCHAR[], is_conforming BOOLEAN,
    is_outlier BOOLEAN, is_excepted BOOLEAN, exception VARCHAR, exception_until TIMESTAMPTZ);
CREATE TABLE audit_fact (audit_id VARCHAR, audit_name VARCHAR, performed_at TIMESTAMPTZ,
    audit_url VARCHAR, control VARCHAR, control_title VARCHAR, category VARCHAR, is_critical
    BOOLEAN, team VARCHAR, team_name VARCHAR, is_known BOOLEAN, value VARCHAR, observed VARCHAR,
    is_pass BOOLEAN, is_flagged BOOLEAN, is_finding BOOLEAN, is_excepted BOOLEAN, exception
    VARCHAR, exception_until TIMESTAMPTZ, evidence VARCHAR, url VARCHAR);
CREATE TABLE control_exception (control VARCHAR, team VARCHAR, from_at TIMESTAMPTZ, until_at
    TIMESTAMPTZ, reason VARCHAR, source VARCHAR);
CREATE TABLE team_standard (category VARCHAR, team_id VARCHAR, standard VARCHAR[]);
"""

# `$title` is an approach as somebody may call it, hostile or not.
_FILLED = """
CREATE TEMP TABLE way AS
    SELECT t.team_id, t.name, c.* FROM (SELECT *, row_number() OVER (ORDER BY team_id) AS place
        FROM team) AS t
    CROSS JOIN (VALUES
        ('secrets_management', 'Secrets management', true, 'vault', 'HashiCorp Vault'),
        ('tls', 'TLS certificates', true, 'cert_manager', 'cert-manager'),
        ('ci_cd', 'CI/CD', false, 'github_actions', 'GitHub Actions')
    ) AS c(category, title, is_critical, approach, approach_title);
UPDATE way SET approach = 'env_file', approach_title = $title
    WHERE category = 'secrets_management' AND team_id = 'team:search';
INSERT INTO team_scope SELECT $at, team_id, 3, 2 FROM team;
INSERT INTO team_control SELECT $at, category, 'practices', team_id, [approach], 1, NULL,
    category = 'tls' AND team_id = 'team:mobile', NULL, NULL FROM way;
INSERT INTO live_control SELECT $at, category, 'practices', any_value(title), category,
    any_value(is_critical), count(*), count(*), count(DISTINCT approach),
    count(DISTINCT approach) > 1, count(DISTINCT approach) > 1 FROM way GROUP BY category;
INSERT INTO practice_spread SELECT $at, false, true, category, category, any_value(title),
    any_value(is_critical), count(*), count(DISTINCT approach), 1, 1,
    CASE category WHEN 'secrets_management' THEN 0.25 ELSE 0 END, mode(approach), 0.875,
    CASE category WHEN 'secrets_management' THEN 0.875 END,
    CASE category WHEN 'secrets_management' THEN 8 ELSE 0 END,
    CASE category WHEN 'secrets_management' THEN ['team:search'] ELSE [] END, 0, [], NULL
    FROM way GROUP BY category;
INSERT INTO practice_fact SELECT team_id, name, 'forge.test/' || team_id, 'shop', category, title,
    is_critical, approach, approach_title, 'deploy/values.yaml', 7,
    'https://forge.test/blob/deploy/values.yaml#L7', 'ab', $at, $at, NULL, NULL,
    team_id = 'team:search' AND category = 'secrets_management', false, NULL, NULL FROM way;
INSERT INTO team_standard SELECT 'secrets_management', team_id, ['vault'] FROM team;
INSERT INTO control_exception VALUES
    ('tls', 'team:mobile', NULL, $at + INTERVAL 90 DAY, $title, 'settings');
INSERT INTO audit_fact SELECT 'files:audit:' || a.name, a.name, $at - a.age, NULL,
    'secrets_management', 'Secrets management', 'secrets_management', true, w.team_id, w.name, true,
    w.approach_title, w.approach_title, w.approach = 'vault', false, true, false, NULL, NULL,
    'deploy/values.yaml:7', 'javascript:alert(1)'
    FROM way AS w CROSS JOIN (VALUES ('Spring', INTERVAL 200 DAY), ('Autumn', INTERVAL 20 DAY))
        AS a(name, age)
    WHERE w.category = 'secrets_management';
INSERT INTO configuration_measure SELECT 'configuration', $at - n * INTERVAL 28 DAY,
    CASE WHEN n = 0 THEN 2 ELSE 1 END, 'audits', NULL, NULL, 2, 2,
    CASE WHEN n = 0 THEN 'crossed' ELSE 'insufficient' END, NULL,
    '2 of 2 audits in 365 days found teams configured differently.', []::VARCHAR[], NULL, 1,
    'Autumn reached 8 of 8 teams', '{}' FROM range(6) AS t(n);
INSERT INTO configuration_variant VALUES
    ('configuration', $at, 'without exceptions', 2, NULL, NULL, 2, 'crossed'),
    ('configuration', $at, 'audits alone', 2, NULL, NULL, 2, 'crossed');
DROP TABLE way;
"""


def fill(connection: duckdb.DuckDBPyConnection, at: datetime, title: str) -> None:
    """Fill the tables as of a moment; `title` is what one team's approach is called."""
    for statement in _FILLED.split(";\n"):
        given = {"title": title, "at": at}
        used = {name: value for name, value in given.items() if f"${name}" in statement}
        connection.execute(statement, used)
