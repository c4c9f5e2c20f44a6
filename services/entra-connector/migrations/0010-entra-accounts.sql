-- An account in a customer's Entra tenant: what is known of it, and what may be so after calls whose end nobody saw.
create table entra_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- JIT: made by Stint for one technician. OWN: one that the technician has there anyway.
  kind text not null check (kind in ('JIT', 'OWN')),
  -- Null: an account with our mark that no row knew; it is only taken away.
  technician_id uuid,
  marker text,
  object_id text,
  user_principal_name text,
  state text not null default 'ABSENT' check (state in ('ABSENT', 'DISABLED', 'ENABLED', 'DELETED')),
  seen_at timestamptz,
  -- When Entra made it, and when we changed its roles last: what is fresh is shown late there.
  created_at timestamptz,
  roles_changed_at timestamptz,
  -- What its name begins with, when it is made.
  prefix text not null default 'jit-',
  name_attempt int not null default 0,
  -- Set before the call that they speak of, and taken back when the opposite was done or seen.
  creating_since timestamptz,
  may_be_enabled boolean not null default false,
  sessions_open boolean not null default false,
  password_known boolean not null default false,
  remove_not_before timestamptz,
  purge_refused_at timestamptz,
  -- Unused since; deleted after so many days. `discard`: deleted as soon as it has no grant.
  rests_since timestamptz,
  rest_days int not null default 30,
  discard boolean not null default false,
  problem text,
  -- When to look next, whether an end waits for it, how often it failed in a row, and how often somebody wanted something else.
  due_at timestamptz,
  ending boolean not null default false,
  failures int not null default 0,
  changes int not null default 0,
  -- Who works on it: results under an older fence number do not count.
  fence int not null default 0,
  lease_until timestamptz,
  primary key (msp_id, id)
);
create unique index entra_account_of_technician on entra_account (msp_id, tenant_id, technician_id, kind);
create unique index entra_account_marker on entra_account (msp_id, tenant_id, marker);
create index entra_account_due on entra_account (due_at);
create index entra_account_of_tenant on entra_account (msp_id, tenant_id, id);
select stint_protect('entra_account');

-- Accounts that Stint's grants never touch, such as break-glass accounts.
create table protected_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  object_id text not null,
  why text not null,
  primary key (msp_id, tenant_id, object_id)
);
select stint_protect('protected_account');

-- How far a grant has come in Entra.
alter table entra_grant
  add column account_id uuid not null,
  add column phase text not null default 'BEGINNING' check (phase in ('BEGINNING', 'ACTIVE', 'ENDING', 'ENDED', 'FAILED')),
  -- What was found out before anything was given.
  add column role_definition_id text,
  add column ends_by_itself boolean not null default false,
  add column credential_kind text check (credential_kind in ('TEMPORARY_ACCESS_PASS', 'PASSWORD')),
  add column pass_minutes int,
  add column pass_once boolean not null default false,
  add column notice text,
  -- The role: asked for (before the call), and as it was seen.
  add column assign_asked_at timestamptz,
  add column assignment_kind text check (assignment_kind in ('LEASE', 'SCHEDULE', 'ALREADY')),
  add column assignment_id text,
  add column built_in_ends_at timestamptz,
  -- The credential, sealed to `recipient_key`.
  add column credential_at timestamptz,
  add column pass_id text,
  add column credential_ends_at timestamptz,
  add column enc text,
  add column ciphertext text,
  add column collected_at timestamptz,
  add column active_at timestamptz,
  add column ending_since timestamptz,
  add column ended_at timestamptz,
  add column stuck_at timestamptz,
  -- Why it failed, or is ended before its time.
  add column failure text,
  add column report_version int not null default 0;
create index entra_grant_of_account on entra_grant (msp_id, account_id) where phase in ('BEGINNING', 'ACTIVE', 'ENDING');

-- What was done in Entra, step by step: stored before each call, its outcome after it. Without outcome: nobody saw the end.
create table entra_step (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  grant_id uuid,
  kind text not null,
  began_at timestamptz not null,
  ended_at timestamptz,
  outcome text check (outcome in ('DONE', 'REFUSED', 'UNKNOWN')),
  -- What came of it, in words or as ids; never a secret.
  detail text,
  primary key (msp_id, id)
);
create index entra_step_of_account on entra_step (msp_id, account_id, id);
select stint_protect('entra_step');
