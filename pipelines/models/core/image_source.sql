-- One row per image that attempts deploy, with the repository it is built from: by the rules of the
-- settings, else by its last segment, where that is the name of one repository or service only.
-- Images of no known repository stay here with none, and data health counts them.
-- key: image
-- references: repository_key -> repository.repository_key
with image as (
    select distinct image from records.deployment_attempt
    where deleted_at is null and image is not null
),
parsed as (
    select image,
        lower(regexp_replace(regexp_replace(image, '@.*$', ''), ':[^/:]*$', '')) as name,
        nullif(regexp_extract(regexp_replace(image, '@.*$', ''), ':([^/:]+)$', 1), '') as tag
    from image
),
ruled as (
    select p.image, r.repository_key
    from parsed as p
    join input.image as i on regexp_full_match(p.name, '(.*/)?' || i.image)
    join repository as r on input_matches(i.repository, r.name, r.repository_key)
    qualify row_number() over (partition by p.image order by i.ordinal, r.repository_key) = 1
),
named as (
    select name, min(repository_key) as repository_key
    from (
        select lower(name) as name, repository_key from repository
        union
        select lower(name), repository_key from service
    ) as everything
    group by name having count(distinct repository_key) = 1
)
select p.image, p.name, p.tag, regexp_extract(p.name, '[^/]+$') as segment,
    coalesce(r.repository_key, n.repository_key) as repository_key
from parsed as p
left join ruled as r on r.image = p.image
left join named as n on n.name = regexp_extract(p.name, '[^/]+$')
