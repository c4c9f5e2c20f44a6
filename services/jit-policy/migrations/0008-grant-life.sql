-- What a grant copies from the settings, who ended it, and what changed on the computer while it lasted.
alter table jit_grant add column idle_end_seconds int not null default 600;
alter table jit_grant add column remove_new_privileged boolean not null default false;
-- { "kind": "technician" | "device" | "client", "id": … }
alter table jit_grant add column ended_by jsonb;
alter table jit_grant add column privileged_changes jsonb not null default '[]';
alter table jit_grant drop constraint if exists jit_grant_end_reason_check;
alter table jit_grant add constraint jit_grant_end_reason_check
  check (end_reason in ('EXPIRED', 'REVOKED', 'LOGGED_OFF', 'NOT_ACTIVATED', 'IDLE', 'ACCESS_REMOVED'));
create index jit_grant_of_technician on jit_grant (msp_id, technician_id, id desc);

-- Each extension once, whatever was lost on the way.
create table grant_extension (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  grant_id uuid not null,
  seconds int not null,
  extended_at timestamptz not null,
  primary key (msp_id, id)
);
select stint_protect('grant_extension', 'append');
create index grant_extension_of_grant on grant_extension (msp_id, grant_id, id);

-- An account is one technician's, or shared by all technicians (null): one shared account a device.
alter table jit_account alter column technician_id drop not null;
create unique index jit_account_one_shared on jit_account (msp_id, device_id) where technician_id is null and removed_at is null;

-- Accounts with Stint's mark that belong to nobody, as the agent last found them.
create table stray_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The device on which it was found.
  device_id uuid not null,
  -- The id in its mark.
  account_id uuid not null,
  name text not null,
  found_at timestamptz not null,
  primary key (msp_id, device_id, account_id, name)
);
select stint_protect('stray_account');
