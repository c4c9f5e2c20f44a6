-- A grant, and an access request, is of an account on a device or of a role in Entra.
alter table jit_grant
  add column target text not null default 'DEVICE' check (target in ('DEVICE', 'ENTRA')),
  -- The role's display name, and Graph's directoryScopeId.
  add column entra_role text,
  add column entra_scope text,
  add column entra_account_kind text check (entra_account_kind in ('JIT', 'OWN')),
  -- The X25519 public key to which services/entra-connector seals the one-time credential.
  add column entra_recipient_key text,
  -- Grows each time that services/entra-connector is told what must be.
  add column entra_version int;
alter table jit_grant
  alter column login_request_id drop not null,
  alter column device_id drop not null,
  alter column account_id drop not null,
  -- In Entra known when the account was seen there.
  alter column account_name drop not null,
  alter column idle_end_seconds drop not null,
  alter column remove_new_privileged drop not null;
alter table jit_grant add constraint jit_grant_target check (
  case target
    when 'DEVICE' then num_nulls(login_request_id, device_id, account_id, account_name, idle_end_seconds, remove_new_privileged) = 0
      and num_nonnulls(entra_role, entra_scope, entra_account_kind, entra_recipient_key, entra_version) = 0
    else num_nonnulls(login_request_id, device_id, account_id, idle_end_seconds, remove_new_privileged) = 0
      and num_nulls(entra_role, entra_scope, entra_account_kind, entra_recipient_key, entra_version) = 0
  end);
create index jit_grant_live_in_entra on jit_grant (msp_id, id) where target = 'ENTRA' and state in ('APPROVED', 'ACTIVE');
-- Kept as long as the tenant's audit events.
create index jit_grant_in_entra_of_tenant on jit_grant (msp_id, tenant_id, approved_at) where target = 'ENTRA';

alter table access_request
  add column target text not null default 'LOGIN' check (target in ('LOGIN', 'ENTRA')),
  add column entra_role text,
  add column entra_scope text,
  add column entra_account_kind text check (entra_account_kind in ('JIT', 'OWN')),
  add column entra_recipient_key text;
alter table access_request alter column login_request_id drop not null, alter column device_id drop not null;
alter table access_request add constraint access_request_target check (
  case target
    when 'LOGIN' then num_nulls(login_request_id, device_id) = 0
      and num_nonnulls(entra_role, entra_scope, entra_account_kind, entra_recipient_key) = 0
    -- Asked for by passkey alone.
    else num_nonnulls(login_request_id, device_id) = 0
      and num_nulls(entra_role, entra_scope, entra_account_kind, entra_recipient_key, proof) = 0
  end);
create index access_request_waiting_for_entra on access_request (msp_id, id) where target = 'ENTRA' and state = 'PENDING';
create index access_request_for_entra_of_tenant on access_request (msp_id, tenant_id, requested_at) where target = 'ENTRA';

-- Devices and access in Entra, in the order of their ids.
alter table access_recheck rename column done_device_id to done_id;
