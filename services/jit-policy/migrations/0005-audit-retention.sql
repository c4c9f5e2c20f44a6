-- How long each tenant's audit events are kept, as services/tenants was told last.
create table audit_retention_told (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  days int not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('audit_retention_told');
