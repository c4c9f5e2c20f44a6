-- The smallest service schema, for tenancy's own tests.
create table tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  path uuid[] not null,
  primary key (msp_id, id)
);
select stint_protect_tenant();

create table thing (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  primary key (msp_id, id)
);
select stint_protect('thing');

create table note (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  primary key (msp_id, id)
);
select stint_protect('note', 'append');
