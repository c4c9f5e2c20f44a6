-- The connection of a tenant to its Entra tenant: one at most.
create table entra_connection (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant's own.
  id uuid not null,
  -- SETUP: not verified yet. READY: access can be given. BROKEN: it cannot, `problems` says why. DISCONNECTING: nothing begins, what is there ends.
  state text not null check (state in ('SETUP', 'READY', 'BROKEN', 'DISCONNECTING', 'DISCONNECTED')),
  entra_tenant_id text not null,
  cloud text not null check (cloud in ('GLOBAL', 'US_GOV', 'US_DOD', 'CHINA')),
  client_id text not null,
  consented_at timestamptz,
  -- What the last verification found: problems, and facts of the tenant.
  problems jsonb not null default '[]',
  facts jsonb,
  verified_at timestamptz,
  -- When to verify next by ourselves; null: not at all.
  verify_due_at timestamptz,
  -- Grows with each change; a verification counts only for the version that it began with.
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('entra_connection');
-- Two tenants of an MSP that give access in the same Entra tenant would take away each other's.
create unique index entra_connection_one on entra_connection (msp_id, entra_tenant_id) where state <> 'DISCONNECTED';
create index entra_connection_due on entra_connection (verify_due_at) where verify_due_at is not null;
create index entra_connection_leaving on entra_connection (id) where state = 'DISCONNECTING';

-- What proves us in the Entra tenant: wrapped by the key provider and bound to its row.
create table entra_credential (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('SECRET', 'CERTIFICATE')),
  -- NEW: beside the one in use until it has proved itself. FORMER: kept for a day after another took over.
  state text not null check (state in ('NEW', 'IN_USE', 'FORMER')),
  wrapped bytea not null,
  -- Which root key wrapped it.
  root_key_id text not null,
  -- Of a certificate: its public part and thumbprints.
  certificate_pem text,
  thumbprint text,
  thumbprint_s256 text,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  retired_at timestamptz,
  -- For how many days before its end was warned last.
  warned_days int,
  primary key (msp_id, id),
  check ((kind = 'CERTIFICATE') = (certificate_pem is not null)),
  check ((kind = 'CERTIFICATE') = (thumbprint_s256 is not null))
);
select stint_protect('entra_credential');
create unique index entra_credential_one_new on entra_credential (msp_id, tenant_id) where state = 'NEW';
create unique index entra_credential_one_in_use on entra_credential (msp_id, tenant_id) where state = 'IN_USE';
create index entra_credential_root on entra_credential (root_key_id);
create index entra_credential_retired on entra_credential (retired_at) where state = 'FORMER';

-- Administrators on their way to Microsoft's consent page and back.
create table entra_consent (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- SHA-256 of the state that comes back.
  state_hash bytea not null unique,
  technician_id uuid not null,
  session_id text,
  entra_tenant_id text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (msp_id, id)
);
select stint_protect('entra_consent');
create index entra_consent_old on entra_consent (expires_at);
