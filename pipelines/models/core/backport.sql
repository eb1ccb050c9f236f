-- One row per change request whose commits were cherry-picked from another request's: it ships
-- together with the original, which counts once.
-- key: change_request_id
with picked as (
    select a.repository_key, g.sha, unnest(g.cherry_picked_from) as source
    from records.commit as g
    join repository_alias as a on a.alias = g.repository_key
    where len(g.cherry_picked_from) > 0
)
select b.change_request_id, min(o.change_request_id) as original_id
from picked as p
join change_commit as b on b.repository_key = p.repository_key and b.sha = p.sha
join change_commit as o on o.repository_key = p.repository_key
    and starts_with(o.sha, p.source) and o.change_request_id <> b.change_request_id
group by b.change_request_id
