-- What services/laps-vault was told last of how break-glass accounts work in each tenant: the values that are set, merged
-- from the MSP down.
create table laps_settings_told (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  merged jsonb not null,
  version int not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('laps_settings_told');
