-- Small copies of what other services own, fed by their messages. A message is applied only if its version is newer.
create table tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  -- Ancestors from the MSP down to the tenant itself: the policies decide reach by it.
  path uuid[] not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect_tenant();

create table technician (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  display_name text not null,
  active boolean not null,
  group_ids uuid[] not null,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('technician');
-- A technician often lives above the tenants that they reach; their own row they can always see and hold, not change.
create policy self on technician to :app using (msp_id = stint_msp() and id = stint_actor()) with check (false);

create table device (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER')),
  host_name text not null,
  domain text,
  active boolean not null,
  version int not null,
  -- Ours: of what its break-glass accounts must be. Whoever changes an account of a device locks this row first.
  revision int not null default 0,
  primary key (msp_id, id)
);
select stint_protect('device');

-- What holds in each tenant, as services/jit-policy tells it.
create table laps_settings (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  effective jsonb not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('laps_settings');

-- The key pairs to which agents seal. A private half is wrapped by the key provider; null once nothing is kept under it any more.
create table vault_key (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  public_key text not null,
  wrapped_private_key bytea,
  -- Which root key wrapped it.
  root_key_id text not null,
  created_at timestamptz not null,
  retired_at timestamptz,
  -- Since when no password was seen under it any more.
  empty_since timestamptz,
  destroyed_at timestamptz,
  primary key (msp_id, id),
  check ((destroyed_at is null) = (wrapped_private_key is not null)),
  check (destroyed_at is null or retired_at is not null)
);
select stint_protect('vault_key');
create unique index vault_key_one_in_use on vault_key (msp_id, tenant_id) where retired_at is null;
create index vault_key_retired on vault_key (retired_at) where retired_at is not null and destroyed_at is null;
create index vault_key_root on vault_key (root_key_id) where destroyed_at is null;

create table laps_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  kind text not null check (kind in ('LOCAL', 'DOMAIN')),
  name text not null,
  -- Wanted by the settings as they are now.
  wanted boolean not null,
  -- The number that the next escrowed password must carry.
  fence int not null default 0,
  -- When the password is to be changed next; null before the first one is confirmed.
  due_at timestamptz,
  -- Asked for before its time: after a reveal, by somebody, after an incident.
  rotate_at timestamptz,
  problem text,
  problem_since timestamptz,
  -- { uid, lastLogOnAt, groups, uses, digest, seenAt } of an account that is not ours; null otherwise.
  finding jsonb,
  -- The digest of the finding that somebody said yes to.
  take_over text,
  -- What happened to it last outside of Stint, and to which version; null once a password was confirmed since.
  incident text,
  confirmed_at timestamptz,
  revealed_at timestamptz,
  -- Told as overdue or stuck; null while it is not.
  alarmed_at timestamptz,
  created_at timestamptz not null,
  primary key (msp_id, id),
  check ((problem is null) = (problem_since is null))
);
select stint_protect('laps_account');
create unique index laps_account_one on laps_account (msp_id, device_id, kind, lower(name));
create index laps_account_of_tenant on laps_account (msp_id, tenant_id, id);
create index laps_account_due on laps_account (least(due_at, rotate_at)) where wanted;

-- Passwords, sealed by the agents to a vault key.
create table laps_version (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- Made by the agent.
  id uuid not null,
  account_id uuid not null,
  fence int not null,
  -- PENDING: the open one. CANDIDATE: a change that was cut short, or one that a restored computer holds. CURRENT: read back. FORMER: followed by a CURRENT one.
  state text not null check (state in ('PENDING', 'CANDIDATE', 'CURRENT', 'FORMER')),
  vault_key_id uuid not null,
  enc bytea not null,
  ciphertext bytea not null,
  escrowed_at timestamptz not null,
  confirmed_at timestamptz,
  primary key (msp_id, id)
);
select stint_protect('laps_version');
create unique index laps_version_one_open on laps_version (msp_id, account_id) where state = 'PENDING';
create unique index laps_version_one_current on laps_version (msp_id, account_id) where state = 'CURRENT';
create unique index laps_version_fence on laps_version (msp_id, account_id, fence);
create index laps_version_of_key on laps_version (msp_id, vault_key_id, id);

-- Who read what, for limits and alarms; the audit log has it for good.
create table laps_reveal (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  technician_id uuid not null,
  at timestamptz not null,
  primary key (msp_id, id)
);
select stint_protect('laps_reveal');
create index laps_reveal_of_technician on laps_reveal (msp_id, technician_id, at);
create index laps_reveal_old on laps_reveal (at);

create table laps_check_out (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  technician_id uuid not null,
  since timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz,
  primary key (msp_id, id)
);
select stint_protect('laps_check_out');
create unique index laps_check_out_one on laps_check_out (msp_id, account_id) where ended_at is null;
create index laps_check_out_due on laps_check_out (until) where ended_at is null;

-- The key to which emergency exports are sealed.
create table offline_key (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  public_key text not null,
  set_at timestamptz not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('offline_key');
-- It counts for the tenants below, and is no secret: readable from there.
create policy inherited on offline_key for select to :app
  using (msp_id = stint_msp() and exists (
    select 1 from tenant t
    where t.msp_id = stint_msp() and t.path @> array[offline_key.tenant_id]
      and case when stint_tenant() is not null then t.id = stint_tenant() else t.id = any(stint_reaches()) end));

-- How many planned changes were let through in one minute in one MSP, so that an outage is not caught up all at once.
create table laps_pace (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The MSP.
  id uuid not null,
  minute timestamptz not null,
  let_through int not null,
  per_minute int not null,
  primary key (msp_id, id)
);
select stint_protect('laps_pace');
