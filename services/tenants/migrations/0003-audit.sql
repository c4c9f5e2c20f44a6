-- One hash chain per tenant.
create table audit_event (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- From 1 without gaps.
  sequence bigint not null,
  occurred_at timestamptz not null,
  actor_kind text not null,
  actor_id uuid,
  action text not null,
  subject_id uuid not null,
  details jsonb not null,
  -- HMAC-SHA-256 over the event and the hash before it.
  hash bytea not null,
  primary key (msp_id, id),
  unique (msp_id, tenant_id, sequence)
);
select stint_protect('audit_event', 'append');

-- Where each chain ends, so that a tail that was cut off is missed.
create table audit_head (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  sequence bigint not null,
  hash bytea not null,
  -- HMAC-SHA-256 over tenant, sequence and hash.
  mac bytea not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('audit_head');
