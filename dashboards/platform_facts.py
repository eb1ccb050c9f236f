"""What the pages about the platform ask a build for: launches, candidates, newcomers, teams."""

import polars as pl

from dashboards.queries import ROW_LIMIT, Queries


def launches(queries: Queries) -> pl.DataFrame:
    """Return what each launch did to each category, the newest launch first, totals first."""
    return queries.frame(
        "SELECT * FROM deflection ORDER BY launched_on DESC, launch, is_total DESC, category"
    )


def launch_weeks(queries: Queries, launch: str, category: str) -> pl.DataFrame:
    """Return tickets and what was expected, week by week, oldest first."""
    return queries.frame(
        "SELECT week, phase, tickets, engineers, actions, expected, expected_low, expected_high"
        " FROM deflection_week WHERE launch = $launch AND category = $category ORDER BY week",
        {"launch": launch, "category": category},
    )


def demand(queries: Queries) -> pl.DataFrame:
    """Return demand and self-service of each category in the last 13 full weeks, most first."""
    return queries.frame(
        f"""
        WITH recent AS (
            SELECT DISTINCT week FROM category_week WHERE NOT is_partial
            ORDER BY week DESC LIMIT 13)
        SELECT c.category, sum(c.tickets)::BIGINT AS tickets, count(*) AS weeks,
               sum(c.tickets) / nullif(sum(c.engineers), 0) AS rate,
               sum(c.attempts)::BIGINT AS attempts, sum(c.actions)::BIGINT AS actions,
               CASE WHEN sum(c.attempts) > 0 THEN sum(c.actions_ok)
                   / nullif(sum(c.actions_ok) + sum(c.tickets), 0) END AS ratio,
               CASE WHEN sum(c.attempts) > 0 THEN
                   (sum(c.failed_actions) + sum(c.followed_actions)) / sum(c.attempts)
               END AS failed,
               list(c.tickets ORDER BY c.week) AS history
        FROM category_week AS c JOIN recent AS r ON r.week = c.week
        GROUP BY c.category HAVING sum(c.tickets) + sum(c.attempts) > 0
        ORDER BY tickets DESC, c.category LIMIT {ROW_LIMIT}
        """
    )


def candidates(queries: Queries) -> pl.DataFrame:
    """Return what could be automated, the most hours first."""
    return queries.frame("SELECT * FROM automation_candidate ORDER BY rank")


def candidate_teams(queries: Queries, category: str) -> pl.DataFrame:
    """Return the teams that ask for a category, those that ask most first."""
    return queries.frame(
        "SELECT team_id, team_name, tickets, per_month, waiting_hours_per_month, share"
        " FROM automation_candidate_team WHERE category = $category"
        " ORDER BY tickets DESC, team_id",
        {"category": category},
    )


def cohorts(queries: Queries) -> pl.DataFrame:
    """Return the cohorts of newcomers, the newest first."""
    return queries.frame("SELECT * FROM onboarding_cohort ORDER BY cohort DESC, milestone")


def curves(queries: Queries, cohort: str) -> pl.DataFrame:
    """Return the survival curves of a cohort, one a milestone."""
    return queries.frame(
        "SELECT milestone, day, survival, ci_low, ci_high, at_risk, events FROM onboarding"
        " WHERE cohort = $cohort ORDER BY milestone, day",
        {"cohort": cohort},
    )


def interactions(queries: Queries, team_id: str | None) -> pl.DataFrame:
    """Return what pairs of teams had to do with each other, the newest month first."""
    return queries.frame(
        """
        SELECT month, team_id, team_name, other_team_id, other_team_name, tickets, actions,
               reviews_by_other, reviews_of_other, interactions, mode
        FROM team_interaction
        WHERE $team_id IS NULL OR team_id = $team_id OR other_team_id = $team_id
        ORDER BY month DESC, interactions DESC, team_id, other_team_id
        """,
        {"team_id": team_id},
    )
