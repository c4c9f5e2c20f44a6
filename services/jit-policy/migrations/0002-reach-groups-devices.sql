-- A caller reaches a set of tenants, each with all below it: every policy anew.
select stint_protect_tenant();
select stint_protect(name) from unnest(array['technician', 'device', 'jit_settings', 'login_request', 'jit_account', 'jit_grant']) as name;
drop policy inherited on jit_settings;
create policy inherited on jit_settings for select to :app
  using (msp_id = stint_msp() and exists (
    select 1 from tenant t
    where t.msp_id = stint_msp() and t.path @> array[jit_settings.tenant_id]
      and case when stint_tenant() is not null then t.id = stint_tenant() else t.id = any(stint_reaches()) end));
-- A technician often lives above the tenants that they reach; their own row they can always see and hold, not change.
create policy self on technician to :app using (msp_id = stint_msp() and id = stint_actor()) with check (false);
drop function if exists stint_enter(uuid, uuid, uuid, boolean);

-- [{ "tenantId": where the role is held, "role": … }]
alter table technician add column assignments jsonb not null default '[]';
update technician set assignments = (select coalesce(jsonb_agg(jsonb_build_object('tenantId', tenant_id, 'role', role)), '[]') from unnest(roles) as role);
alter table technician drop column roles;
alter table technician add column group_ids uuid[] not null default '{}';
alter table technician add column totp_enrolled boolean not null default false;
-- Keys come by a message of their own, which may be first.
alter table technician add column keys_version int not null default 0;

create table technician_group (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('technician_group');

alter table device add column domain text;
alter table device add column tags text[] not null default '{}';
alter table device add column hpke_key text not null default '';
