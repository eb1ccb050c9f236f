-- One row per month and pair of teams that had to do with each other in the last 13 months: tickets
-- that people of team opened and people of other_team handle, self-service actions of team's people
-- in categories whose tickets other_team handles most, and reviews between them (reviews_by_other:
-- of team's changes by other_team; reviews_of_other: the other way). People of both teams are left
-- out; those of several count for each. mode, of 5 interactions or more: at least half reviews:
-- collaboration where each side gives a quarter of them or more, else facilitating; otherwise
-- X-as-a-service where at least half of what is asked is done by self-service, else by ticket,
-- which is none of the three.
-- key: month, team_id, other_team_id
-- not null: tickets, actions, reviews_by_other, reviews_of_other, interactions
-- references: team_id -> team.team_id; other_team_id -> team.team_id
-- check: team_id <> other_team_id
-- check: (mode is null) = (interactions < 5)
-- check: mode in ('X-as-a-service', 'facilitating', 'collaboration', 'by ticket')
with known as (
    select cast(date_trunc('month', cast(timezone(zone, as_of) as date)) as date)
            - interval 12 month as first_month,
        zone, as_of
    from input.clock
),
asked as (
    select cast(date_trunc('month', cast(timezone(n.zone, t.created_at) as date)) as date) as month,
        a.person_id, b.person_id as other_id, 'ticket' as kind, t.ticket_id as subject
    from records.ticket as t
    cross join known as n
    join account_person as a on a.account_id = t.reporter
    join account_person as b on b.account_id = t.assignee
    where t.deleted_at is null and t.created_at < n.as_of
        and timezone(n.zone, t.created_at) >= n.first_month
        and not a.is_bot and not b.is_bot
),
reviewed as (
    select cast(date_trunc('month', cast(timezone(n.zone, v.submitted_at) as date)) as date)
            as month,
        a.person_id, b.person_id as other_id, 'review' as kind, v.change_request_id as subject
    from records.review as v
    join records.change_request as c
        on c.change_request_id = v.change_request_id and c.deleted_at is null
    cross join known as n
    join account_person as a on a.account_id = c.author
    join account_person as b on b.account_id = v.reviewer
    where v.submitted_at < n.as_of and timezone(n.zone, v.submitted_at) >= n.first_month
        and not a.is_bot and not b.is_bot
),
between_people as (
    select p.month, p.person_id, p.other_id, p.kind, count(distinct p.subject) as things
    from (select * from asked union all select * from reviewed) as p
    where p.person_id <> p.other_id
    group by p.month, p.person_id, p.other_id, p.kind
),
teammate as (
    select distinct a.person_id, b.person_id as other_id
    from membership as a
    join membership as b on b.team_id = a.team_id
),
between_teams as (
    select p.month, a.team_id, b.team_id as other_team_id, p.kind, sum(p.things) as things
    from between_people as p
    anti join teammate as m on m.person_id = p.person_id and m.other_id = p.other_id
    join membership as a on a.person_id = p.person_id
    join membership as b on b.person_id = p.other_id
    group by p.month, a.team_id, b.team_id, p.kind
),
handled as (
    select c.category, m.team_id, count(*) as tickets
    from platform_request as r
    join ticket_category as c on c.ticket_id = r.ticket_id
    join membership as m on m.person_id = r.handler_id
    group by c.category, m.team_id
),
provider as (
    select category, arg_min(team_id, (-tickets, team_id)) as team_id
    from handled
    group by category
),
served as (
    select cast(date_trunc('month', cast(timezone(n.zone, s.started_at) as date)) as date) as month,
        m.team_id, p.team_id as other_team_id, count(*) as things
    from self_service as s
    join membership as m on m.person_id = s.person_id
    join provider as p on p.category = s.category
    cross join known as n
    where s.state = 'succeeded' and not list_contains(s.team_ids, p.team_id)
        and timezone(n.zone, s.started_at) >= n.first_month
    group by all
),
directed as (
    select month, team_id, other_team_id,
        case kind when 'ticket' then things else 0 end as tickets,
        0 as actions,
        case kind when 'review' then things else 0 end as reviews_by_other,
        0 as reviews_of_other
    from between_teams
    union all
    select month, other_team_id, team_id, 0, 0, 0, things from between_teams where kind = 'review'
    union all
    select month, team_id, other_team_id, 0, things, 0, 0 from served
),
counted as (
    select month, team_id, other_team_id,
        cast(sum(tickets) as bigint) as tickets, cast(sum(actions) as bigint) as actions,
        cast(sum(reviews_by_other) as bigint) as reviews_by_other,
        cast(sum(reviews_of_other) as bigint) as reviews_of_other
    from directed
    group by month, team_id, other_team_id
),
summed as (
    select c.*, tickets + actions + reviews_by_other + reviews_of_other as interactions,
        reviews_by_other + reviews_of_other as reviews
    from counted as c
)
select s.month, s.team_id, t.name as team_name, s.other_team_id, o.name as other_team_name,
    s.tickets, s.actions, s.reviews_by_other, s.reviews_of_other, s.interactions,
    case
        when s.interactions < 5 then null
        when s.reviews * 2 >= s.interactions
            then case when least(s.reviews_by_other, s.reviews_of_other) * 4 >= s.reviews
                then 'collaboration' else 'facilitating' end
        when s.actions >= s.tickets then 'X-as-a-service'
        else 'by ticket'
    end as mode
from summed as s
join team as t on t.team_id = s.team_id
join team as o on o.team_id = s.other_team_id
