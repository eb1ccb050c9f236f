-- One row per moment and category of the practice inventory: how much teams differ. approaches S;
-- effective_shannon D1, the exponential of Shannon's entropy, and effective_simpson D2, 1 over the
-- HHI, over shares in which every team counts once; disagreement G, the mean over pairs of teams of
-- 1 - |A and B| / |A or B|; modal_share, the share of teams that use the most common approach;
-- conformance, the share of teams under a standard whose every approach is in it, or that have an
-- exception. Outliers do not use what the standard says or, without one, what at least half of the
-- teams use. drifted are teams whose approaches differ from those four weeks before.
-- key: moment_at, category
-- check: disagreement is null or disagreement between 0 and 1
-- check: approaches >= 1 and effective_simpson <= effective_shannon + 1e-6
-- check: effective_shannon <= approaches + 1e-6
-- check: conformance is null or conformance between 0 and 1
with used as (
    select t.*, c.category
    from team_control as t
    join input.control as c on c.control = t.control
    where t.source = 'practices'
),
weighed as (
    select moment_at, category, unnest(approaches) as approach, team_id, 1.0 / len(approaches) as weight
    from used
),
share as (
    select w.moment_at, w.category, w.approach, count(*) as teams, sum(w.weight) / min(n.teams) as share
    from weighed as w
    join (select moment_at, category, count(*) as teams from used group by moment_at, category) as n
        on n.moment_at = w.moment_at and n.category = w.category
    group by w.moment_at, w.category, w.approach
),
counted as (
    select moment_at, category, count(*) as approaches,
        exp(-sum(share * ln(share))) as effective_shannon,
        1 / sum(share * share) as effective_simpson,
        arg_max(approach, (teams, share, approach)) as modal_approach, max(teams) as modal_teams
    from share
    group by moment_at, category
),
pair as (
    select a.moment_at, a.category,
        avg(1 - len(list_intersect(a.approaches, b.approaches))
            / len(list_distinct(list_concat(a.approaches, b.approaches)))) as disagreement
    from used as a
    join used as b on b.moment_at = a.moment_at and b.category = a.category and b.team_id > a.team_id
    group by a.moment_at, a.category
),
before as (
    select moment_at, category, team_id, approaches,
        lag(approaches) over (partition by category, team_id order by moment_at) as earlier
    from used
),
judged as (
    select u.moment_at, u.category, u.team_id, u.is_excepted, g.standard,
        case when g.standard is not null
            then u.is_excepted or list_has_all(g.standard, u.approaches) end as is_conforming,
        case when u.is_excepted then false
            when g.standard is not null then not list_has_any(g.standard, u.approaches)
            when c.modal_teams * 2 >= n.teams then not list_contains(u.approaches, c.modal_approach)
            else false end as is_outlier
    from used as u
    join counted as c on c.moment_at = u.moment_at and c.category = u.category
    join (select moment_at, category, count(*) as teams from used group by moment_at, category) as n
        on n.moment_at = u.moment_at and n.category = u.category
    left join team_standard as g on g.category = u.category and g.team_id = u.team_id
),
teams as (
    select j.moment_at, j.category, count(*) as teams,
        count(j.standard) as with_standard,
        count(*) filter (where j.is_conforming) as conforming,
        list(j.team_id order by j.team_id) filter (where j.is_outlier) as outliers
    from judged as j
    group by j.moment_at, j.category
),
drift as (
    select moment_at, category, count(earlier) as followed,
        list(team_id order by team_id) filter (where earlier <> approaches) as drifted
    from before
    group by moment_at, category
)
select c.moment_at, m.is_evaluation, m.is_now, c.category, i.control, i.title, i.is_critical,
    t.teams, c.approaches,
    round_significant(c.effective_shannon) as effective_shannon,
    round_significant(c.effective_simpson) as effective_simpson,
    round_significant(p.disagreement) as disagreement,
    c.modal_approach, round_significant(c.modal_teams / t.teams) as modal_share,
    round_significant(t.conforming / nullif(t.with_standard, 0)) as conformance,
    t.with_standard, coalesce(t.outliers, []) as outliers,
    d.followed, coalesce(d.drifted, []) as drifted,
    round_significant(p.disagreement
        - lag(p.disagreement) over (partition by c.category order by c.moment_at))
        as disagreement_change
from counted as c
join configuration_moment as m on m.moment_at = c.moment_at
join teams as t on t.moment_at = c.moment_at and t.category = c.category
join drift as d on d.moment_at = c.moment_at and d.category = c.category
join input.control as i on i.category = c.category
left join pair as p on p.moment_at = c.moment_at and p.category = c.category
