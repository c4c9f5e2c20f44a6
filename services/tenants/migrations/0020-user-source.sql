-- Technicians may come from a tenant's user source. Who is off has been switched off here, or there, or both: each takes back its own.
alter table technician add column switched_off boolean not null default false;
alter table technician add column source_off boolean not null default false;
update technician set switched_off = not active;
alter table technician drop column active;
alter table technician add column active boolean not null generated always as (not switched_off and not source_off) stored;
-- Who the technician is in the source of their tenant. Kept when the source lets go of them (`sourced` false), so that it finds them again.
alter table technician add column source_object_id uuid;
alter table technician add column sourced boolean not null default false;
alter table technician add check (source_object_id is not null or not (sourced or source_off));
create unique index technician_of_source on technician (msp_id, tenant_id, source_object_id);

-- What the source gave, and takes away again; what people gave stays.
alter table technician_group add column from_source boolean not null default false;
alter table group_member add column from_source boolean not null default false;
alter table role_assignment add column from_source boolean not null default false;

-- The tenant's source, as services/entra-connector told last: the version alone, the groups carry the rest.
create table user_source (
  msp_id uuid not null,
  tenant_id uuid not null,
  version int not null,
  primary key (msp_id, tenant_id)
);
select stint_protect('user_source');

-- What people of the source must be, as services/entra-connector told last, and why they are not (yet).
create table source_person (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  object_id uuid not null,
  email text not null,
  display_name text not null,
  present boolean not null,
  owned boolean not null,
  group_ids uuid[] not null,
  roles text[] not null,
  version int not null,
  conflict text check (conflict in ('LOCAL_TECHNICIAN', 'ADDRESS_TAKEN', 'LAST_ADMINISTRATOR', 'GROUP_UNKNOWN', 'LIMIT')),
  -- An administrator has said that the local technician is somebody else.
  left_alone boolean not null default false,
  -- When it is tried again; null when nothing is to be tried.
  retry_at timestamptz,
  primary key (msp_id, id)
);
create unique index source_person_of_object on source_person (msp_id, tenant_id, object_id);
create index source_person_by_email on source_person (msp_id, tenant_id, email) where present and owned;
create index source_person_in_conflict on source_person (msp_id, tenant_id, id) where conflict is not null;
create index source_person_due on source_person (retry_at) where retry_at is not null;
select stint_protect('source_person');
