-- Somebody who is in none of the groups any more was asked for by object id: what they are like, or that they are deleted.
alter table user_source_found
  add column apart jsonb,
  add column gone boolean not null default false;
