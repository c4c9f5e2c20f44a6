-- Break-glass accounts of customers' Entra tenants: registered by an administrator, their passwords changed here and kept by services/laps-vault.
create table break_glass_account (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The vault's account has the same id.
  id uuid not null,
  object_id text not null,
  user_principal_name text not null,
  display_name text not null,
  -- False: not ours any more. The row is kept, so that the vault knows the account again.
  registered boolean not null,
  registered_at timestamptz not null,
  -- Of what the vault is told, and when it was told last.
  version int not null default 1,
  told_at timestamptz not null,
  -- The change that the vault asked for last, and how passwords are made and sealed for it; `due_fence` null: none is to be begun.
  due_fence int,
  vault_key jsonb,
  policy jsonb,
  -- The version that was read back last, and Entra's own time of the last change of the password as it was then.
  version_id uuid,
  password_changed_at timestamptz,
  -- That time has moved since, and not by us.
  tampered boolean not null default false,
  problem text,
  -- When to look next, how often it failed in a row, and how often somebody wanted something else.
  due_at timestamptz,
  failures int not null default 0,
  changes int not null default 0,
  -- Who works on it: results under an older fence number do not count.
  fence int not null default 0,
  lease_until timestamptz,
  primary key (msp_id, id)
);
create unique index break_glass_account_object on break_glass_account (msp_id, tenant_id, object_id);
create index break_glass_account_due on break_glass_account (due_at);
select stint_protect('break_glass_account');

-- The one new password of an account that is on its way: gone when it was read back, or when another one takes its place.
create table break_glass_candidate (
  msp_id uuid not null,
  tenant_id uuid not null,
  -- The vault's version has the same id.
  id uuid not null,
  account_id uuid not null,
  fence int not null,
  -- OFFERED to the vault; TAKEN by it, so that it may be set; SET: Entra said yes, and it is not seen yet.
  state text not null check (state in ('OFFERED', 'TAKEN', 'SET')),
  vault_key_id uuid not null,
  enc text not null,
  ciphertext text not null,
  -- Wrapped by the key provider and bound to its row: to be set with, and set again.
  wrapped bytea not null,
  -- The number that the next one must carry, from the vault's answer.
  next_fence int,
  -- Before the newest call: when that was, and Entra's time of the last change of the password.
  called_at timestamptz,
  changed_before timestamptz,
  primary key (msp_id, id)
);
create unique index break_glass_candidate_one on break_glass_candidate (msp_id, account_id);
select stint_protect('break_glass_candidate');
