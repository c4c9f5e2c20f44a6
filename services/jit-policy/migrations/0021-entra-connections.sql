-- Whether access in a tenant's Entra tenant can be given, as services/entra-connector tells it.
create table entra_connection (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  usable boolean not null,
  problem text,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('entra_connection');
