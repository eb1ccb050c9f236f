-- One row per person (or machine), put together from accounts.
-- key: person_id
select person_id, any_value(name) as name, bool_or(is_bot) as is_bot
from account_person
group by person_id
