-- What every service schema has before its own migrations: how a transaction gets its scope, and how a table is protected.
-- `:app` and `:system` are replaced by the schema's role names. Idempotent: runs at every start.

-- Opens a scope for the rest of the transaction (set_config with is_local = true, so that nothing leaks to the
-- connection's next borrower). Answers false, and leaves no tenant set, when the tenant is out of the caller's reach.
create or replace function stint_enter(in_msp uuid, in_reach uuid[], in_actor uuid, in_tenant uuid, in_read_only boolean) returns boolean
language plpgsql as $$
begin
  perform set_config('stint.msp', in_msp::text, true), set_config('stint.reach', in_reach::text, true),
    set_config('stint.actor', in_actor::text, true), set_config('stint.tenant', '', true);
  if in_read_only then
    perform set_config('transaction_read_only', 'on', true);
  end if;
  if in_tenant is null then
    return true;
  end if;
  if not exists (select 1 from tenant where msp_id = in_msp and id = in_tenant) then
    return false;
  end if;
  perform set_config('stint.tenant', in_tenant::text, true);
  return true;
end $$;

-- The scope as the policies read it. After a transaction a custom setting is '' and not NULL, hence nullif. The reach is
-- a set of tenants, each with all below it.
create or replace function stint_msp() returns uuid language sql stable as $$ select nullif(current_setting('stint.msp', true), '')::uuid $$;
create or replace function stint_reaches() returns uuid[] language sql stable as $$ select nullif(current_setting('stint.reach', true), '')::uuid[] $$;
-- Who calls: for rows that are the caller's own.
create or replace function stint_actor() returns uuid language sql stable as $$ select nullif(current_setting('stint.actor', true), '')::uuid $$;
-- Named by policies of older migrations, which newer ones replace.
create or replace function stint_reach() returns uuid language sql stable as $$ select (stint_reaches())[1] $$;
create or replace function stint_tenant() returns uuid language sql stable as $$ select nullif(current_setting('stint.tenant', true), '')::uuid $$;

-- Row-level security for a table whose rows belong to one tenant each. Forced, so that not even the owner reads past it.
-- mode 'full' or 'append' (rows can be added and read, never changed or removed).
create or replace function stint_protect(in_table text, in_mode text default 'full') returns void
language plpgsql as $$
declare
  rights text := case in_mode when 'append' then 'select, insert' else 'select, insert, update, delete' end;
begin
  execute format('alter table %I enable row level security', in_table);
  execute format('alter table %I force row level security', in_table);
  -- In a tenant's scope: its rows. In a reading scope: the rows of every tenant in reach.
  execute format('drop policy if exists scope on %I', in_table);
  execute format('drop policy if exists system on %I', in_table);
  execute format($policy$
    create policy scope on %1$I to :app
    using (msp_id = stint_msp() and case
      when stint_tenant() is not null then tenant_id = stint_tenant()
      when stint_msp() = any(stint_reaches()) then true
      else exists (select 1 from tenant t where t.msp_id = stint_msp() and t.id = %1$I.tenant_id and t.path && stint_reaches())
    end)
    with check (msp_id = stint_msp() and tenant_id = stint_tenant())$policy$, in_table);
  execute format('create policy system on %I to :system using (true) with check (true)', in_table);
  execute format('grant %s on %I to :app, :system', rights, in_table);
end $$;

-- The same for the table `tenant` itself: a scope sees its tenant and that tenant's children, and may add children.
create or replace function stint_protect_tenant() returns void
language plpgsql as $$
begin
  alter table tenant enable row level security;
  alter table tenant force row level security;
  drop policy if exists scope on tenant;
  drop policy if exists system on tenant;
  create policy scope on tenant to :app
    using (msp_id = stint_msp() and case
      when stint_tenant() is not null then id = stint_tenant() or parent_id = stint_tenant()
      else path && stint_reaches()
    end)
    with check (msp_id = stint_msp() and (id = stint_tenant() or parent_id = stint_tenant()));
  create policy system on tenant to :system using (true) with check (true);
  grant select, insert, update, delete on tenant to :app, :system;
end $$;
