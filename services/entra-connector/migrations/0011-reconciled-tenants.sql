-- Entra tenants whose accounts are compared with what should be there, and when next.
create table reconciled_tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  due_at timestamptz not null,
  failures int not null default 0,
  primary key (msp_id, tenant_id)
);
create index reconciled_tenant_due on reconciled_tenant (due_at);
select stint_protect('reconciled_tenant');
