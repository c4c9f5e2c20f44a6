-- Logins that a computer decided by itself while it could not reach us.
alter table login_request drop constraint if exists login_request_method_check;
alter table login_request add constraint login_request_method_check check (method in ('QR', 'TOTP', 'PUSH', 'OFFLINE'));

-- Chosen ahead for offline logins and never used: no part of the desired state, and nothing that could rest.
alter table jit_account add column prepared boolean not null default false;
drop index jit_account_resting;
create index jit_account_resting on jit_account (last_used_at) where absent_since is null and not prepared;
