-- A caller reaches a set of tenants, each with all below it: every policy anew.
select stint_protect_tenant();
select stint_protect(name) from unnest(array['technician', 'invitation', 'credential', 'technician_group', 'group_member',
  'enrollment_token', 'device', 'device_presence', 'api_client', 'totp', 'totp_failures', 'audit_head']) as name;
select stint_protect('audit_event', 'append');
drop function if exists stint_enter(uuid, uuid, uuid, boolean);

-- A role counts for the tenant on which it is held (`tenant_id`) and all below.
create table role_assignment (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  role text not null check (role in ('ADMINISTRATOR', 'TECHNICIAN', 'AUDITOR', 'HELPDESK')),
  primary key (msp_id, id)
);
create unique index role_assignment_once on role_assignment (msp_id, technician_id, tenant_id, role);
create index role_assignment_of_tenant on role_assignment (msp_id, tenant_id, id);
select stint_protect('role_assignment');
-- The ids are the technician's with another last digit: still UUIDv7.
insert into role_assignment (msp_id, tenant_id, id, technician_id, role)
  select t.msp_id, t.tenant_id, overlay(t.id::text placing r.place::text from 36)::uuid, t.id, r.role
  from technician t, unnest(t.roles) with ordinality as r (role, place);
alter table technician drop column roles;

alter table technician_group add column version int not null default 1;
-- The AD domain that the computer is joined to, as its DNS name; null for none.
alter table device add column domain text;
alter table device add column tags text[] not null default '{}';
