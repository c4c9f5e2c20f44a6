-- Every change of how long a session lasts, for the record of the grant: extensions, and shortenings with negative seconds.
alter table grant_extension rename to grant_change;
alter index grant_extension_of_grant rename to grant_change_of_grant;
alter table grant_change rename column extended_at to changed_at;
-- Null for extensions of before: only the grant's own technician extends.
alter table grant_change add column changed_by uuid;

-- What the rule allowed, for the record; max_seconds is what this grant may last in all, which people may have shortened.
alter table jit_grant add column rule_max_seconds int not null default 28800;
update jit_grant set rule_max_seconds = max_seconds;
