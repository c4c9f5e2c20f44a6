-- Somebody who has lost their passkeys comes back by two administrators and a one-time link.
create table recovery (
  msp_id uuid not null,
  -- The technician's home.
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  reason text not null,
  state text not null check (state in ('PENDING', 'APPROVED', 'REDEEMED', 'CANCELLED')),
  started_by uuid not null,
  started_at timestamptz not null,
  approved_by uuid,
  -- SHA-256 of the link's token.
  token_hash bytea unique,
  expires_at timestamptz not null,
  primary key (msp_id, id),
  check (started_by <> technician_id and approved_by <> technician_id and approved_by <> started_by)
);
create index recovery_of_technician on recovery (msp_id, technician_id, id);
select stint_protect('recovery');
