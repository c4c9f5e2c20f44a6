-- Every change of a setting, for ever: what it was on the tenant itself and what it became, null for inherited.
create table setting_change (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  actor_kind text not null,
  actor_id uuid not null,
  setting text not null,
  old jsonb,
  new jsonb,
  primary key (msp_id, id)
);
select stint_protect('setting_change', 'append');
create index setting_change_of_tenant on setting_change (msp_id, tenant_id, id desc);

-- Groups of the tenants above may be named in a tenant's settings: whoever has a scope may read (only read) them.
drop policy if exists inherited on technician_group;
create policy inherited on technician_group for select to :app
  using (msp_id = stint_msp() and exists (
    select 1 from tenant t
    where t.msp_id = stint_msp() and t.path @> array[technician_group.tenant_id]
      and case when stint_tenant() is not null then t.id = stint_tenant() else t.id = any(stint_reaches()) end));
