"""What every published metric means, in words: the one place dashboard, docs and Dagster read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric's meaning; `model` names the model whose text is what really ran."""

    name: str
    title: str
    words: str
    parameters: str
    model: str
    version: int = 1


DEFINITIONS = (
    Definition(
        "deployment_frequency",
        "Deployment frequency",
        "Releases that went live in production, divided by the weeks observed. Zero weeks count. "
        "Observed is the time from the service's first live deployment to its archiving; under a "
        "week there is no rate, and a calendar week that is cut is marked, not scaled. Attempts "
        "that never went live and redeploys of the commit that is still live do not count; the "
        "same commit in several production environments counts once. For a team or the "
        "organisation: the median over its services. The interval is Poisson, widened by the "
        "weekly variance over the mean.",
        "production environments: whole tokens prod, production, live",
        "metric_deployment_frequency",
    ),
    Definition(
        "change_lead_time",
        "Change lead time",
        "Time from the earliest authored date of a change's commits to the production deployment "
        "that shipped it, found by commit ancestry. Each commit belongs to the first live "
        "deployment that contains it; the first deployment seen is the baseline and ships "
        "nothing. Human changes that went live in the period; median, 75th and 90th percentile "
        "(from 5, 10 and 20 changes). If the first commit is over 90 days older than the opening, "
        "its committer date is taken. Intervals account for changes that share a deployment.",
        "start limit: 90 days before opening; minimum n: 5, 10, 20",
        "metric_lead_time",
    ),
    Definition(
        "lead_time_business",
        "Change lead time in working hours",
        "The same span counted only within the organisation's working hours, holidays left out.",
        "zone, working days, working hours and holidays of the organisation",
        "metric_lead_time",
    ),
    Definition(
        "lead_time_stage",
        "Stages of the lead time",
        "Mean hours in each stage: coding (first commit to ready for review), pickup (to the first "
        "review by somebody else), review (to the last approval), merge (to the merge), deploy (to "
        "live); unreviewed where nobody reviewed. Stages of each change add up to its lead time; "
        "a stage it does not have counts 0.",
        "none",
        "metric_lead_time",
    ),
    Definition(
        "merged_not_live",
        "Merged, not yet live",
        "Changes merged in the period that no production deployment contains yet, and the "
        "Kaplan–Meier median of the time from merge to live, in which those still waiting count "
        "as not yet over. Only services with at least one live deployment.",
        "minimum n for the median: 5",
        "metric_waiting",
    ),
    Definition(
        "ticket_flow",
        "Flow of tickets",
        "Tickets created, first put in progress and resolved a week; tickets in progress at the "
        "end of the period; cycle time from first in progress to last done, median and 85th "
        "percentile. Statuses count by their category, whatever they are called.",
        "service-level expectation: 85 %",
        "metric_ticket_flow",
    ),
)
