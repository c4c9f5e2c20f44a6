-- Logins, and all that belongs to one, are kept as long as the tenant's audit events.
create index login_request_of_tenant_started on login_request (msp_id, tenant_id, started_at);

-- The system may remove what people signed only when it is older than the shortest retention by the database's own clock,
-- whatever the code asks for.
grant delete on access_approval, grant_change to :system;
create policy kept on access_approval as restrictive for delete to :system using (approved_at < now() - interval '30 days');
create policy kept on grant_change as restrictive for delete to :system using (changed_at < now() - interval '30 days');
create policy kept on jit_grant as restrictive for delete to :system
  using (state in ('ENDED', 'FAILED') and approved_at < now() - interval '30 days');
