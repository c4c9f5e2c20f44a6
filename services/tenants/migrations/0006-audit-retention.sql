-- Where a chain begins now: the last event that was removed because it was older than the tenant's retention. A chain of
-- which nothing was ever removed begins after sequence 0.
alter table audit_head
  add column anchor_sequence bigint not null default 0,
  add column anchor_hash bytea not null default decode(repeat('00', 32), 'hex'),
  -- HMAC-SHA-256 over tenant, sequence and hash of the anchor; null while nothing was removed.
  add column anchor_mac bytea;
-- Only the system writes heads.
revoke insert, update, delete on audit_head from :app;

-- How long each tenant's events are kept: a copy, fed by jit-policy. Without a row nothing is removed.
create table audit_retention (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The tenant.
  id uuid not null,
  days int not null check (days between 30 and 3650),
  version int not null,
  -- When the log is looked at next.
  trim_at timestamptz not null,
  primary key (msp_id, id),
  check (tenant_id = id)
);
select stint_protect('audit_retention');
revoke insert, update, delete on audit_retention from :app;
create index audit_retention_due on audit_retention (trim_at);

-- The system may remove an event that the anchor stands behind and that is older than the shortest retention by the
-- database's own clock; nothing else, whatever the code asks for.
grant delete on audit_event to :system;
create policy trimmed on audit_event as restrictive for delete to :system
  using (occurred_at < now() - interval '30 days' and exists (
    select 1 from audit_head h
    where h.msp_id = audit_event.msp_id and h.id = audit_event.tenant_id and audit_event.sequence <= h.anchor_sequence));
