-- Locks of offline logins that devices told of: each is told to the audit log once. The ids are the devices' own.
create table offline_lock (
  msp_id uuid not null,
  tenant_id uuid not null,
  device_id uuid not null,
  id uuid not null,
  taken_at timestamptz not null,
  primary key (msp_id, device_id, id)
);
select stint_protect('offline_lock');
create index offline_lock_taken on offline_lock (taken_at);
