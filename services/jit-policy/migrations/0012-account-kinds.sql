-- Which accounts a login may be for, as the settings and the agents stood when it was started, and which one was chosen.
alter table login_request add column account_kinds text[] not null default '{LOCAL}'
  check (cardinality(account_kinds) > 0 and account_kinds <@ array['LOCAL', 'DOMAIN']);
alter table login_request add column account_kind text not null default 'LOCAL';
alter table login_request add check (account_kind = any (account_kinds));
-- Why no account in the domain is offered where the settings would have one, in words.
alter table login_request add column domain_obstacle text;
