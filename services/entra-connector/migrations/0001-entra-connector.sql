-- Small copies of what other services own, fed by their messages. A message is applied only if its version is newer.
create table tenant (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  -- Ancestors from the MSP down to the tenant itself: the policies decide reach by it.
  path uuid[] not null,
  name text not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect_tenant();

create table technician (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  display_name text not null,
  active boolean not null,
  group_ids uuid[] not null,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('technician');
-- A technician often lives above the tenants that they reach; their own row they can always see and hold, not change.
create policy self on technician to :app using (msp_id = stint_msp() and id = stint_actor()) with check (false);
