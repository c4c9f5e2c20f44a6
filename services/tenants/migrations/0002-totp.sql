create table totp (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The technician.
  id uuid not null,
  -- Wrapped by the key provider, bound to the technician. Null until the first enrolment is confirmed.
  seed bytea,
  -- A new enrolment that waits for its first code.
  pending_seed bytea,
  confirmed_at timestamptz,
  -- The last time step that was used: each one works once.
  last_step bigint,
  primary key (msp_id, id)
);
select stint_protect('totp');

-- Wrong codes, counted by what could be attacked: see totp.domain.ts.
create table totp_failures (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- What is counted, for example `device:<id>`.
  subject text not null,
  failures int not null default 0,
  window_began_at timestamptz not null,
  locked_until timestamptz,
  primary key (msp_id, subject)
);
select stint_protect('totp_failures');
