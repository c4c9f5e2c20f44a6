-- Small copies of what services/tenants owns, fed by its messages. A message is applied only if its version is newer.
create table tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  -- Ancestors from the MSP down to the tenant itself: the policies decide reach by it.
  path uuid[] not null,
  name text not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect_tenant();

create table technician (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  display_name text not null,
  active boolean not null,
  roles text[] not null,
  -- [{ "id": credential id, "x": Ed25519 public key }]
  keys jsonb not null,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('technician');

create table device (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  host_name text not null,
  active boolean not null,
  version int not null,
  -- Ours: of the device's desired state. Whoever changes grants or accounts of a device locks this row first.
  revision int not null default 0,
  primary key (msp_id, id)
);
select stint_protect('device');

create table jit_settings (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- The values that are set on this very tenant, by name; what is not there is inherited.
  own jsonb not null default '{}',
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('jit_settings');
-- A tenant's effective settings stand on its ancestors' rows, which are outside of the scope. Whoever has a scope may
-- therefore read (only read) the settings rows of the tenants above it: above the scoped tenant, or above the caller's
-- own tenant when reading the whole reach. The inner `tenant` is read under its own policy.
create policy inherited on jit_settings for select to :app
  using (msp_id = stint_msp() and exists (
    select 1 from tenant t
    where t.msp_id = stint_msp() and t.id = coalesce(stint_tenant(), stint_reach()) and t.path @> array[jit_settings.tenant_id]));

create table login_request (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  method text not null check (method in ('QR', 'TOTP')),
  state text not null check (state in ('PENDING', 'APPROVED', 'DENIED', 'EXPIRED', 'FAILED')),
  failure text,
  -- SHA-256 of the QR's code; null for TOTP.
  code_hash bytea,
  shown_number text not null check (shown_number ~ '^[0-9]{2}$'),
  -- As shown and signed: copied when the request is made.
  host_name text not null,
  tenant_name text not null,
  session_seconds int not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  decided_by uuid,
  primary key (msp_id, id),
  check ((method = 'QR') = (code_hash is not null)),
  check ((state = 'FAILED') = (failure is not null))
);
select stint_protect('login_request');
create unique index login_request_code on login_request (msp_id, code_hash);
create unique index login_request_one_pending on login_request (msp_id, device_id) where state = 'PENDING';
create index login_request_due on login_request (expires_at) where state = 'PENDING';

create table jit_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  technician_id uuid not null,
  name text not null,
  display_name text not null,
  password_length int not null,
  last_used_at timestamptz not null,
  -- Set when the account has rested long enough: the device must delete it.
  absent_since timestamptz,
  -- Seen gone. The row stays for a while, so that a repeated report is still recognised.
  removed_at timestamptz,
  primary key (msp_id, id)
);
select stint_protect('jit_account');
create unique index jit_account_one_per_technician on jit_account (msp_id, device_id, technician_id) where removed_at is null;
create index jit_account_resting on jit_account (last_used_at) where absent_since is null;
create index jit_account_removed on jit_account (removed_at) where removed_at is not null;

create table jit_grant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  login_request_id uuid not null,
  device_id uuid not null,
  technician_id uuid not null,
  account_id uuid not null,
  account_name text not null,
  state text not null check (state in ('APPROVED', 'ACTIVE', 'ENDING', 'ENDED', 'END_STUCK', 'FAILED')),
  reason text,
  ticket text,
  session_seconds int not null check (session_seconds between 1 and 28800),
  -- The approver's own proof, kept with what it was made for; null for TOTP.
  approval_key_id uuid,
  approval_key_x text,
  approval_signature text,
  approved_at timestamptz not null,
  activate_by timestamptz not null,
  active_at timestamptz,
  expires_at timestamptz,
  ending_at timestamptz,
  -- The device's revision from which on the account is not enabled for this grant any more.
  end_revision int,
  ended_at timestamptz,
  end_reason text check (end_reason in ('EXPIRED', 'REVOKED', 'LOGGED_OFF', 'NOT_ACTIVATED')),
  failure text,
  -- When the device is nudged again about an end that it has not reported yet.
  nudge_at timestamptz,
  primary key (msp_id, id),
  check ((state = 'FAILED') = (failure is not null)),
  check (state <> 'ACTIVE' or expires_at is not null),
  check (state not in ('ENDING', 'END_STUCK') or (ending_at is not null and end_revision is not null and end_reason is not null and nudge_at is not null)),
  check (state <> 'ENDED' or (ended_at is not null and end_reason is not null))
);
select stint_protect('jit_grant');
-- One approval, one grant: also when everything else fails.
create unique index jit_grant_one_per_login on jit_grant (msp_id, login_request_id);
create index jit_grant_of_device on jit_grant (msp_id, device_id, id desc);
create index jit_grant_of_tenant on jit_grant (msp_id, tenant_id, id desc);
create index jit_grant_open_of_account on jit_grant (msp_id, account_id) where state in ('APPROVED', 'ACTIVE', 'ENDING', 'END_STUCK');
create index jit_grant_open_of_device on jit_grant (msp_id, device_id) where state in ('APPROVED', 'ACTIVE', 'ENDING', 'END_STUCK');
create index jit_grant_live_of_technician on jit_grant (msp_id, technician_id) where state in ('APPROVED', 'ACTIVE');
create index jit_grant_not_activated on jit_grant (activate_by) where state = 'APPROVED';
create index jit_grant_expiring on jit_grant (expires_at) where state = 'ACTIVE';
create index jit_grant_nudging on jit_grant (nudge_at) where state in ('ENDING', 'END_STUCK');
