-- Somebody who is in none of the groups any more was asked for by object id, and is deleted.
alter table user_source_found add column gone boolean not null default false;
