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
        "Observed is the time from the service's first live deployment, which no source shows "
        "before its own start, to its archiving; no source says when it was down, so nothing is "
        "taken off. Under a "
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
        "its committer date is taken. Intervals account for changes that share a deployment. A "
        "change live before it started shows a wrong clock and is left out. Beside it, as medians "
        "never to be compared with it: from the merge, from the opening, of bots' changes, "
        "and to when a change that was rolled back is live again (lasting).",
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
        "change_fail_rate",
        "Change fail rate",
        "Releases that failed, of those that went live in the period and are old enough for "
        "failures to show. A release failed if one of its deployments has a sign of failure: it "
        "was rolled back; a change it shipped was taken back by another deployment within the "
        "days set; an incident names it; its status became failed after it had succeeded (high "
        "confidence); a hotfix followed within the hours set; an incident of the service began "
        "between its start and the end of the window after it was live, and no later deployment "
        "was live then (medium). Where windows cover over half of the time, incidents linked by "
        "time alone do not count. high: without medium confidence. at_least: where no source of "
        "incidents covers the service, what rollbacks, reverts and failed statuses show; it has "
        "no upper end. For a team or the organisation: the median over its services.",
        "maturity: 7 days; window for incidents: 24 h; reverts: 7 days; hotfixes: 24 h; all of "
        "them under failures in leadline.toml; interval from n = 5",
        "metric_change_fail_rate",
    ),
    Definition(
        "attempt_failure_rate",
        "Attempt failure rate",
        "Production deployments that failed before they were ever live, of all that went live or "
        "failed, by their start. Retries within an hour are one. Cancelled ones and those still "
        "running are left out. Users saw nothing of these, so they are no change failures.",
        "none",
        "metric_change_fail_rate",
    ),
    Definition(
        "failed_deployment_recovery_time",
        "Failed deployment recovery time",
        "Hours from when a failed deployment was live (or from its incident, if that began while "
        "the deployment was on its way) until users were served again. With incidents: the latest "
        "linked rollback or fix before the last of them was resolved, else that moment. Without: "
        "the first rollback or fix. Failures count by the date of the deployment, once it is old "
        "enough; those not over count as not yet over (Kaplan–Meier). Median, 75th and 90th "
        "percentile (from 5, 10 and 20 failures). No failures are no recovery time, not 0 h.",
        "maturity: 7 days; minimum n: 5, 10, 20",
        "metric_recovery",
    ),
    Definition(
        "incident_duration",
        "Duration of incidents",
        "Median hours from the start of an incident of the service to its resolve, whatever caused "
        "it, by its start; open ones count as not yet over. Shown beside recovery, never in its "
        "place.",
        "minimum n: 5",
        "metric_recovery",
    ),
    Definition(
        "deployment_rework_rate",
        "Deployment rework rate",
        "Releases that were unplanned work, of all that went live: known, and possible, which adds "
        "those of which nothing says what they were. Rework are hotfixes, rollbacks, and what "
        "ships nothing but fixes. A change is a fix by its label, its branch, by taking an earlier "
        "change back, or by a linked ticket of a type for faults that was opened after the "
        "deployment before. Where no deployment can be judged there is no value.",
        "ticket types, labels and branches of fixes and of planned work: rework in leadline.toml",
        "metric_rework",
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
    Definition(
        "verdict",
        "Verdict",
        "Is it time for platform engineering? Any of the four thresholds crossed: platform "
        "engineering is indicated. All four clear, not applicable or trending: DevOps is still the "
        "right answer. Else undecided, with what is missing; missing data never speaks for DevOps. "
        "Set-ups and requests are samples: they enter and leave crossed after two evaluations in a "
        "row, and are wrong on a side in 2.5 % of looks each, together at most 5 %. Engineers and "
        "audits count at once. Without data a crossed threshold is held for 13 weeks after it was "
        "last measured, then nobody knows. Replayed at every fourth week end from the first "
        "evaluation at which any threshold could be judged. Size: people with a change merged in "
        "90 days, as author or merger.",
        "evaluations: every 4 weeks; in a row: 2; hold: 13 weeks; sizes: 10, 30, 50 and 100 "
        "engineers, over 90 days",
        "verdict",
    ),
    Definition(
        "threshold_forecast",
        "Trending",
        "Whether a threshold that is clear will be crossed, should its weeks go on as they do. "
        "From weekly values that do not overlap: the last 26 at most, since the last shift of "
        "level, 12 at least. Shares: level and slope of the log-odds, drawn jointly from their t "
        "distribution, the covariance widened by the autocorrelation of the weeks; each draw has "
        "a time of crossing. Engineers: from today's count, with a mean drift drawn likewise and "
        "weeks drawn from those that were. The horizon is as long as the weeks used. Trending when "
        "at least 80 % of the draws cross within it and the 95 % interval of the present state, "
        "and of the fitted level, lies wholly on the near side: at two evaluations in a row. Told "
        "with the middle 90 % of the times. Set-ups and audits are not forecast.",
        "probability 0.8; 12 to 26 weeks; horizon up to 26 weeks; two evaluations, 4 weeks apart; "
        "a shift of level: t of at least 3.75; 4,000 draws",
        "threshold_forecast",
    ),
    Definition(
        "configuration",
        "Audits that found inconsistent configurations",
        "Audits of the year before in which, for one control, two assessed teams had different "
        "values, or the auditor said so, exceptions that have not ended left out. Values are "
        "compared in the same words: those of the settings, else the approaches of the practice "
        "inventory. A pass needs a result that says so, or the rule listed as run. Crossed: 2 or "
        "more, the latest among them; or 1 that a live scan still shows. Found and fixed: 1, and "
        "a live scan of at least 80 % of the teams no longer shows it; insufficient where none "
        "looks at that control. Clear: the latest is clean and reached at least 80 % of the "
        "teams; without any, a live scan of as many shows no critical control inconsistent. With "
        "fewer than 3 teams it does not apply. A count, no sample: it has no interval.",
        "365 days; 2 audits; 80 % of the teams; at least 3 teams; critical: secrets, identity, CI "
        "permissions, base images, TLS: configuration in leadline.toml",
        "configuration_measure",
    ),
    Definition(
        "practice_spread",
        "Spread of practices",
        "Per category of the practice inventory: approaches S; effective numbers of them, D1 the "
        "exponential of Shannon's entropy and D2 one over the HHI, every team counted once; "
        "disagreement G, the mean over pairs of teams of 1 − |A∩B| / |A∪B| (1 where no two teams "
        "share an approach, 0 where all have the same); the share of teams with the most common "
        "approach; conformance to the declared standard, exceptions counted as conforming. "
        "Outliers do not use what the standard says or, without one, what at least half of the "
        "teams use. Drifted: other approaches than 4 weeks before. Found in the files of the main "
        "line; a team owns what it owns today.",
        "G above 0.5 in a critical category corroborates, from 4 teams",
        "practice_spread",
    ),
    Definition(
        "setup_time",
        "Set-ups of services that took more than a day",
        "Of the services whose set-up began in the 180 days before (365 where fewer than 6 were "
        "decided), the share that took more than one business day. A set-up begins with the "
        "earliest of a ticket that asks for it, a run of a portal's template and its repository, "
        "and is ready with the latest of repository, first green pipeline and first deployment to "
        "any environment; secrets, monitoring and ownership count where at least nine in ten "
        "show them. One that is open counts as over once its day is past, and is left out before; "
        "one that was cancelled or failed, by its age then. Forks, mirrors, imports, template "
        "tests, libraries, what was archived before it was deployed, more than 5 repositories made "
        "by one actor within an hour, and what nothing says is a service, are left out. Exact "
        "binomial interval: crossed where all of it is above one half, clear where all of it is "
        "below and every core leg and the start by ticket or portal could be seen; with 3 to 5 "
        "set-ups clear only if each took at most 24 hours.",
        "one business day: the working hours of the organisation; request types, templates and "
        "exclusions: setup in leadline.toml",
        "setup_measure",
    ),
    Definition(
        "set_up_time",
        "Time to set up a service",
        "Kaplan–Meier median and 85th percentile (from 5 and 20 set-ups) of the time until a "
        "service is ready, within working hours and on the clock; those not ready count as not "
        "yet over. Golden path: a run of a portal's template made it; hand-made: everything else. "
        "Tickets: those that asked for it and those of the same projects that name it until it is "
        "ready, as a mean over set-ups; hours: what was logged on them.",
        "minimum n: 5, 20",
        "setup_summary",
    ),
    Definition(
        "deflection",
        "Ticket deflection",
        "Requests that did not come after a launch, against those to be expected without it: the "
        "sum over the weeks after it, the adoption window left out. Expected are as many per "
        "engineer as before (quasi-Poisson with the logarithm of the engineers as offset, "
        "dispersion at least 1, covariance times (1 + ρ) / (1 − ρ), joint t draws). With fewer "
        "than 26 weeks before, the level decides, and an effect is claimed only if a model with "
        "trend finds more than half of it, with the same sign; else level and trend decide. "
        "Against a comparison (categories it does not touch, or teams that do not have it): least "
        "squares on the logarithm of (tickets + ½) over (comparison + ½), per head where the "
        "people differ. Without one, an effect is associated with the launch, no more: a steady "
        "drift of 1 % a week alone can look like one. The rate is avoided of expected; below 0 "
        "there were more. Beside it: the smallest drop that would have shown in four of five "
        "cases; eliminated, where none came and 3 over the engineer weeks since is under 20 % of "
        "the former rate (else: none seen); what came more than expected in other categories. "
        "Hours returned: avoided tickets times the mean hours of one, cut at the 95th percentile.",
        "adoption window: 3 weeks (self_service in leadline.toml); weeks: 8 to 52 before, 4 to 52 "
        "after; least tickets before: 10; least comparison: 3 a week; launches in leadline.toml",
        "deflection",
    ),
    Definition(
        "self_service",
        "Self-service",
        "Per category of requests and week: tickets per engineer (demand rate), and the "
        "self-service ratio: actions that succeeded, and after which the same person opened no "
        "ticket of the category for 72 hours, of these and the tickets. It is no deflection: "
        "people may do for themselves what they never asked for. Failed: actions that failed, "
        "were not finished, or were followed by a ticket. Engineers: people who wrote or merged "
        "a change or started a production deployment in the 13 weeks that end with the week.",
        "hours to a ticket: 72 (self_service in leadline.toml)",
        "category_week",
    ),
    Definition(
        "automation_candidate",
        "What to automate next",
        "Per category of requests, over the last 26 full weeks: tickets a month, times the mean "
        "hours of handling one (cut at the 95th percentile), times repeatability, the share of "
        "its tickets in the largest group of like titles, or of its type where titles say "
        "nothing. Sorted by these hours; teams that ask and hours they wait break ties. The wait "
        "is from opening to resolving, as it was by the clock. Where a service desk sets goals "
        "(SLAs), the waits for the first response and the resolution by its own clock, without "
        "pauses and closed hours, stand beside it, and how many goals were missed. Teams are those "
        "of who asked, else the desk's organisations. Rising or falling: the last 13 "
        "weeks against the 13 before, where the Wilson interval of the share leaves out one half.",
        "weeks: 26; least tickets: 5; month: 365.25 / 12 days",
        "automation_candidate",
    ),
    Definition(
        "onboarding",
        "Onboarding",
        "Time from when somebody was first seen at work (a commit, a change request, a review, a "
        "production deployment) to their first merged change, to their first change live in "
        "production or deployment they started, and to their tenth merged change: Kaplan–Meier "
        "over half-year cohorts of newcomers. People seen in the first 13 weeks of the history "
        "are no newcomers: nobody can tell when they came. Who is not there yet counts as not yet "
        "over, up to 13 weeks after they were last seen. Fewer than 5 people are not shown; "
        "nobody is named or ranked.",
        "least people: 5; milestones: first change, first deployment, change number 10; gone: not "
        "seen for 13 weeks",
        "onboarding",
    ),
    Definition(
        "team_interaction",
        "Team interactions",
        "Per month and pair of teams: tickets that people of the one opened and people of the "
        "other handle, self-service actions in categories whose tickets the other handles most, "
        "and change requests reviewed between them. From 5 of these on: at least half reviews is "
        "collaboration where each side gives a quarter of them or more, else facilitating; "
        "otherwise X-as-a-service where at least half of what is asked is done by self-service; "
        "else by ticket, which is none of the three modes of Team Topologies. People of both "
        "teams are left out; those of several count for each.",
        "least interactions: 5; months: 13",
        "team_interaction",
    ),
    Definition(
        "request_share",
        "Share of requests",
        "Hours the infrastructure team spent on requests, divided by its hours of requests and "
        "building, summed over the ISO weeks before an evaluation. Requests are other teams' "
        "needs, building is permanent improvement; incidents and overhead are outside. One source "
        "of hours at a time: logged time, the status history, sessions of activity, or what a "
        "ticket of the type takes; the first that tracks enough of the team's working hours. "
        "Crossed: the lower bound, were everything unclassified building, is above the "
        "threshold. Clear: the upper bound, were it requests, is below. The interval allows for "
        "weeks that resemble the week before. Of one or two people only the state is shown.",
        "threshold: 50 %; weeks: 13, at least 8; hours with a class: 70 %; working hours tracked: "
        "50 %; straight to done: at most 30 %; all of them under requests in leadline.toml",
        "request_measure",
    ),
    Definition(
        "interrupt_load",
        "Interrupt load",
        "How the share of requests in a person's tracked hours spreads over people: quarter, "
        "median and three quarters, of everybody outside the infrastructure team; the same of its "
        "own people beside it. From 5 people, never of one.",
        "minimum n: 5 people",
        "request_spread",
    ),
    Definition(
        "ticket_text_model",
        "Reading tickets by their words",
        "How often the text model was right on tickets it was not trained on, of all and of those "
        "it would have answered; Brier score, and the mean gap between stated and real "
        "frequency. It learns from tickets whose class a rule or a user gave, and reads those of "
        "the infrastructure team that have none. It says nothing where it is not sure, or where "
        "less than half of the words, weighed by how telling they are, are known to it.",
        "probability: at least 0.6; at least 20 tickets of each of 2 classes; 5 folds",
        "ticket_class",
    ),
    Definition(
        "shared_infrastructure",
        "Engineers on shared infrastructure",
        "People who wrote or merged a change that was merged, or triggered a production "
        "deployment, in the 90 days before, on a service that runs on a shared unit: a cluster, "
        "cloud account, pool of self-hosted runners, private registry or Terraform state that "
        "services of two or more teams run on. The value is that of the largest single unit. The "
        "interval runs from as few people as the accounts may be (every pending suggestion with a "
        "score of 90 or more taken as right) to as many (proven and confirmed links only): crossed "
        "if its low end reaches the threshold, clear if its high end stays below. Not enough data "
        "with under 90 days of history, under 90 % of the services deployed in that time with a "
        "known unit and team, or over 10 % of the active accounts linked to nothing. Beside it: "
        "30 and 180 days, and all shared units that some service connects. Catalog and settings "
        "say what runs where for all time; deployment targets and runners from when they are first "
        "seen.",
        "threshold: 50 engineers; a unit is shared from 2 teams; look-back: 90 days; "
        "shared_units and shared_infrastructure in leadline.toml",
        "shared_measure",
    ),
)
