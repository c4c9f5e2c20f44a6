-- A small copy, fed by messages.
create table technician_group (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  version int not null,
  primary key (msp_id, id)
);
select stint_protect('technician_group');
-- Who the technician is in the user source of their tenant; null for local people.
alter table technician add column source_object_id uuid;
create index technician_by_email on technician (msp_id, email);

-- A tenant's user source: technicians and groups from chosen groups of the Entra tenant that it is connected to.
create table user_source (
  msp_id uuid not null,
  tenant_id uuid not null,
  is_on boolean not null default false,
  -- The chosen groups that hold now: `[{groupId, label, technicianGroupId, role}]`.
  groups jsonb not null default '[]',
  -- Being switched off: what becomes of its people.
  leaving text check (leaving in ('KEEP', 'SWITCH_OFF')),
  -- Where the deltas go on; none of groups when there are too many to be watched.
  users_cursor text,
  groups_cursor text,
  -- The chosen groups and those within them.
  tracked uuid[] not null default '{}',
  -- Which delta is being read in this round.
  round text check (round in ('USERS', 'GROUPS')),
  -- A delta told of something that makes the groups worth reading again; and when they are read once more, as reads can be late.
  changed boolean not null default false,
  reread_at timestamptz,
  -- When everything is read again, whatever the deltas tell.
  full_at timestamptz,
  due_at timestamptz,
  attempts int not null default 0,
  problem text,
  last_sync_at timestamptz,
  -- Told to services/tenants.
  version int not null default 0,
  -- Who works on it: a replica, until then.
  leased_until timestamptz,
  fence int not null default 0,
  primary key (msp_id, tenant_id)
);
create index user_source_due on user_source (due_at) where due_at is not null;
select stint_protect('user_source');

-- One reading of the members of chosen groups: a preview that waits for a yes, or a synchronization.
create table user_source_reading (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  purpose text not null check (purpose in ('PREVIEW', 'SYNC')),
  state text not null check (state in ('READING', 'COMPARING', 'WAITING', 'APPLYING', 'APPLIED', 'DISCARDED')),
  groups jsonb not null,
  started_at timestamptz not null,
  -- Which of the chosen groups is read next, and where in it.
  place int not null default 0,
  cursor text,
  tracked uuid[],
  missing uuid[] not null default '{}',
  users_cursor text,
  groups_cursor text,
  -- How far comparing or applying has come: an object id.
  through uuid,
  counts jsonb,
  -- Why it waits for somebody.
  held_because text,
  ended_at timestamptz,
  primary key (msp_id, id)
);
create unique index user_source_reading_open on user_source_reading (msp_id, tenant_id, purpose)
  where state in ('READING', 'COMPARING', 'WAITING', 'APPLYING');
create index user_source_reading_ended on user_source_reading (ended_at) where ended_at is not null;
select stint_protect('user_source_reading');

-- What a reading found of each person, and what that would change.
create table user_source_found (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  reading_id uuid not null,
  object_id uuid not null,
  -- `{mail, upn, name, enabled, guest, stint}`; null for somebody who is in none of the groups any more.
  facts jsonb,
  group_ids uuid[] not null,
  change text check (change in ('SAME', 'ADDED', 'CHANGED', 'LEAVES', 'RETURNS', 'SKIPPED')),
  -- What they must be after it.
  wanted jsonb,
  why text,
  primary key (msp_id, id),
  foreign key (msp_id, reading_id) references user_source_reading (msp_id, id) on delete cascade
);
create unique index user_source_found_once on user_source_found (msp_id, reading_id, object_id);
create index user_source_found_changes on user_source_found (msp_id, reading_id, id) where change <> 'SAME';
create index user_source_found_by_address on user_source_found (msp_id, reading_id, (wanted ->> 'email'));
select stint_protect('user_source_found');

-- People of the source as they are in Entra, and what services/tenants was told of them last.
create table user_source_person (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  object_id uuid not null,
  facts jsonb not null,
  deleted boolean not null default false,
  group_ids uuid[] not null,
  -- A delta told of them: what a reading that began before says of them is older.
  told_at timestamptz,
  -- Null: nothing, or let go of.
  told jsonb,
  version int not null default 0,
  primary key (msp_id, id)
);
create unique index user_source_person_once on user_source_person (msp_id, tenant_id, object_id);
select stint_protect('user_source_person');
