-- Grows when who may log in offline here may have changed: the device asks for the list again.
alter table device add column offline_revision int not null default 0;

-- "Tell the devices of this tenant and below": worked off in batches.
create table offline_refresh (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- All devices up to this one have been told.
  done_device_id uuid not null default '00000000-0000-0000-0000-000000000000',
  -- Asked for anew while it was worked off: when it is through, all begins again.
  again boolean not null default false,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('offline_refresh');
