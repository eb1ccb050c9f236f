-- One row per incident and thing it names: a web address, a commit (seven signs or more), a tag,
-- the number of a change request, or whatever stands whole in its list of references.
-- key: incident_id, kind, reference
-- references: incident_id -> incident.incident_id
with body as (
    select incident_id, unnest(refs) as text, true as is_given from incident
    union all
    select incident_id, title, false from incident where title is not null
    union all
    select i.incident_id, t.description, false
    from incident as i
    join records.ticket as t on t.ticket_id = i.incident_id
    where t.description is not null
),
named as (
    select incident_id, 'given' as kind, trim(text) as reference from body where is_given
    union all
    select incident_id, 'url', rtrim(unnest(regexp_extract_all(text, 'https?://[^\s<>"''()\[\]{}|]+')), '.,;:!?/')
    from body
    union all
    select incident_id, 'sha', unnest(regexp_extract_all(lower(text), '\b[0-9a-f]{7,40}\b')) from body
    union all
    select incident_id, 'tag', rtrim(unnest(list_concat(
            regexp_extract_all(text, '\bv\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.]+)?'),
            regexp_extract_all(text, '\b[A-Za-z][\w.-]*[-@/]v?\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.]+)?'))), '.')
    from body
    union all
    select incident_id, 'number', unnest(regexp_extract_all(text, '(?:^|[^\w&/])#(\d{1,9})\b', 1))
    from body
)
select distinct incident_id, kind,
    case when kind = 'url'
        then regexp_replace(reference, '((?:/pull|/pull-requests|/merge_requests)/\d+)\D.*$', '\1')
        else reference end as reference
from named
where reference <> ''
    -- Words and numbers made of such signs are no commits.
    and (kind <> 'sha' or len(reference) = 40
        or (regexp_matches(reference, '[0-9]') and regexp_matches(reference, '[a-f]')))
