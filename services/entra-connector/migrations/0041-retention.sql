-- How long the traces of access are kept, which is as long as the tenant's audit events: a copy, fed by jit-policy. Without a row nothing is removed.
create table audit_retention (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  days int not null check (days between 30 and 3650),
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('audit_retention');

create index entra_step_by_age on entra_step (msp_id, tenant_id, began_at);
create index entra_grant_over on entra_grant (msp_id, tenant_id, ended_at) where phase in ('ENDED', 'FAILED');
-- Of all phases: an account is known for as long as one of its grants.
create index entra_grant_on_account on entra_grant (msp_id, account_id);
create index entra_account_idle on entra_account (msp_id, id) where due_at is null;
