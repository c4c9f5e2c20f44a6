-- What services/jit-policy wants of each grant, as it said last.
create table entra_grant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  wanted boolean not null,
  role_name text not null,
  scope text not null,
  account_kind text not null check (account_kind in ('JIT', 'OWN')),
  recipient_key text not null,
  session_seconds int not null,
  activate_by timestamptz not null,
  expires_at timestamptz,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('entra_grant');
