create table tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  -- Ancestors from the MSP down to the tenant itself: the policies decide reach by it.
  path uuid[] not null,
  name text not null,
  created_at timestamptz not null,
  version int not null default 1,
  primary key (msp_id, id),
  check (tenant_id = id),
  check (path[1] = msp_id and path[cardinality(path)] = id)
);
select stint_protect_tenant();

create table technician (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  display_name text not null default '',
  roles text[] not null,
  active boolean not null default true,
  joined_at timestamptz,
  version int not null default 1,
  primary key (msp_id, id),
  unique (msp_id, email)
);
create index technician_of_tenant on technician (msp_id, tenant_id, id);
select stint_protect('technician');

create table invitation (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The technician who is invited.
  id uuid not null,
  token_hash bytea not null unique,
  expires_at timestamptz not null,
  redeemed_at timestamptz,
  primary key (msp_id, id)
);
select stint_protect('invitation');

-- The link that makes the first administrator: at most one row, of no tenant, for the system alone.
create table first_link (
  single boolean primary key default true check (single),
  token_hash bytea not null
);
revoke all on first_link from :app;
grant select, insert, update, delete on first_link to :system;

-- A public key that proves a technician, a device or an API client to the gateway.
create table credential (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('TECHNICIAN', 'DEVICE', 'CLIENT')),
  subject_id uuid not null,
  public_key text not null,
  primary key (msp_id, id)
);
-- The gateway knows nothing but the credential's id.
create unique index credential_by_id on credential (id);
create index credential_of_subject on credential (msp_id, subject_id);
select stint_protect('credential');

create table technician_group (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  primary key (msp_id, id)
);
create unique index group_name on technician_group (msp_id, tenant_id, lower(name));
select stint_protect('technician_group');

create table group_member (
  msp_id uuid not null,
  -- The group's tenant.
  tenant_id uuid not null,
  group_id uuid not null,
  technician_id uuid not null,
  primary key (msp_id, group_id, technician_id)
);
create index group_of_member on group_member (msp_id, technician_id);
select stint_protect('group_member');

create table enrollment_token (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  token_hash bytea not null unique,
  kind text not null check (kind in ('WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER')),
  uses_left int not null check (uses_left >= 0),
  expires_at timestamptz not null,
  revoked boolean not null default false,
  primary key (msp_id, id)
);
create index enrollment_token_of_tenant on enrollment_token (msp_id, tenant_id, id);
select stint_protect('enrollment_token');

create table device (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER')),
  host_name text not null,
  platform text not null,
  hardware_id text not null,
  hpke_key text not null,
  enrolled_with uuid not null,
  active boolean not null default true,
  enrolled_at timestamptz not null,
  version int not null default 1,
  primary key (msp_id, id)
);
create index device_of_tenant on device (msp_id, tenant_id, id);
-- The same machine is one device at a time.
create unique index device_hardware on device (msp_id, tenant_id, hardware_id) where active;
select stint_protect('device');

-- Written at every check-in: narrow, so that each update stays on its page.
create table device_presence (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  last_seen_at timestamptz not null,
  primary key (msp_id, id)
) with (fillfactor = 50);
select stint_protect('device_presence');

create table api_client (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  client_id uuid not null,
  name text not null,
  permissions text[] not null,
  active boolean not null default true,
  primary key (msp_id, id)
);
create index api_client_of_tenant on api_client (msp_id, tenant_id, id);
select stint_protect('api_client');
