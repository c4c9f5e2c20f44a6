-- Who may get which access where, and on which demands. A rule counts for its tenant and all below.
create table access_rule (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  effect text not null check (effect in ('ALLOW', 'DENY')),
  enabled boolean not null,
  groups uuid[] not null,
  device_tags text[] not null,
  kinds text[] not null check (cardinality(kinds) > 0 and kinds <@ array['LOCAL_ADMIN', 'DOMAIN_ADMIN', 'ENTRA_ROLE']),
  entra_roles text[] not null,
  max_seconds int not null check (max_seconds between 60 and 28800),
  default_seconds int check (default_seconds between 60 and max_seconds),
  require_reason boolean not null,
  require_ticket boolean not null,
  approvals int not null check (approvals between 0 and 5),
  approver_group uuid check (approver_group is null or approvals > 0),
  -- { "ranges": [{ "days": […], "from": "08:00", "to": "18:00" }], "timeZone": "Europe/Berlin" or null }
  hours jsonb not null,
  primary key (msp_id, id)
);
select stint_protect('access_rule');
create index access_rule_of_tenant on access_rule (msp_id, tenant_id, id);
-- What applies to a tenant stands on its ancestors too, which are outside of the scope: read only, as for jit_settings.
create policy inherited on access_rule for select to :app
  using (msp_id = stint_msp() and exists (
    select 1 from tenant t
    where t.msp_id = stint_msp() and t.path @> array[access_rule.tenant_id]
      and case when stint_tenant() is not null then t.id = stint_tenant() else t.id = any(stint_reaches()) end));
-- The first rule of the MSPs that are here already; its id is the tenant's with another last digit.
insert into access_rule (msp_id, tenant_id, id, name, effect, enabled, groups, device_tags, kinds, entra_roles, max_seconds, require_reason,
    require_ticket, approvals, hours)
  select msp_id, id, overlay(id::text placing to_hex(('x' || right(id::text, 1))::bit(4)::int # 1) from 36)::uuid,
    'Technicians: local administrator', 'ALLOW', true, '{}', '{}', '{LOCAL_ADMIN}', '{}', 28800, false, false, 0, '{"ranges": [], "timeZone": null}'
  from tenant where parent_id is null;

-- "Look again at what is live in this tenant and below": left by whoever changes what decisions rest on, worked off in
-- batches by a sweep, device after device in the order of their ids.
create table access_recheck (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  -- All devices up to this one have been looked at.
  done_device_id uuid not null default '00000000-0000-0000-0000-000000000000',
  asked_at timestamptz not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('access_recheck');

-- A login whose rule demands the yes of other people. The thresholds are those of the rule when it was asked for.
create table access_request (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  login_request_id uuid not null,
  technician_id uuid not null,
  device_id uuid not null,
  state text not null check (state in ('PENDING', 'APPROVED', 'DENIED', 'EXPIRED', 'CANCELLED')),
  reason text,
  ticket text,
  -- What was asked for; an approver may shorten it.
  session_seconds int not null check (session_seconds between 60 and 28800),
  rule_id uuid not null,
  rule_name text not null,
  needed int not null check (needed between 1 and 5),
  approver_group_id uuid,
  max_seconds int not null,
  -- The requester's own proof; null for TOTP.
  proof jsonb,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  -- Who denied or cancelled it; null for the system.
  ended_by uuid,
  -- Why it was denied or cancelled, in words.
  ended_why text,
  primary key (msp_id, id),
  check ((state = 'PENDING') = (ended_at is null)),
  check ((state in ('DENIED', 'CANCELLED')) = (ended_why is not null))
);
select stint_protect('access_request');
create unique index access_request_one_per_login on access_request (msp_id, login_request_id);
create index access_request_of_tenant on access_request (msp_id, tenant_id, id desc);
create index access_request_waiting on access_request (msp_id, device_id) where state = 'PENDING';
create index access_request_of_technician on access_request (msp_id, technician_id);
create index access_request_due on access_request (expires_at) where state = 'PENDING';
-- Whoever decides on a request decides on its technician too, who often lives above the scope: to see and hold, not to change.
create policy requester on technician to :app
  using (msp_id = stint_msp() and exists (select 1 from access_request r where r.msp_id = technician.msp_id and r.technician_id = technician.id))
  with check (false);

create table access_approval (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  access_request_id uuid not null,
  approver_id uuid not null,
  session_seconds int not null check (session_seconds between 60 and 28800),
  -- The approver's own proof, by passkey.
  proof jsonb not null,
  approved_at timestamptz not null,
  primary key (msp_id, id)
);
select stint_protect('access_approval', 'append');
-- Each approver counts once: also when everything else fails.
create unique index access_approval_once on access_approval (msp_id, access_request_id, approver_id);

alter table login_request drop constraint login_request_state_check;
alter table login_request add check (state in ('PENDING', 'AWAITING_APPROVAL', 'APPROVED', 'DENIED', 'EXPIRED', 'FAILED'));

-- The approver's whole proof, with what was signed, so that it can be checked without Stint; null for TOTP.
alter table jit_grant add column approval_proof jsonb;
update jit_grant set approval_proof = jsonb_build_object('by', 'key', 'keyId', approval_key_id, 'x', approval_key_x, 'signature', approval_signature)
  where approval_signature is not null;
alter table jit_grant drop column approval_key_id, drop column approval_key_x, drop column approval_signature;
-- Which rule allowed it, and the longest that it may last in all, however it is extended.
alter table jit_grant add column rule_id uuid, add column rule_name text, add column if not exists max_seconds int not null default 28800;
alter table jit_grant drop constraint if exists jit_grant_end_reason_check;
alter table jit_grant add constraint jit_grant_end_reason_check
  check (end_reason in ('EXPIRED', 'REVOKED', 'LOGGED_OFF', 'NOT_ACTIVATED', 'IDLE', 'ACCESS_REMOVED'));
