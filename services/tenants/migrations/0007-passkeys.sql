-- A WebAuthn credential of a technician. Private keys are never here.
create table passkey (
  msp_id uuid not null,
  -- The technician's home.
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  -- Chosen by the authenticator; base64url.
  credential_id text not null,
  -- COSE key, base64url.
  public_key text not null,
  algorithm int not null,
  -- The highest signature counter seen; 0 where the authenticator does not count.
  counter bigint not null,
  -- Synchronised to further devices of its owner.
  backed_up boolean not null,
  label text not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  -- Wrong assertions since the last right one.
  failures int not null default 0,
  primary key (msp_id, id)
);
-- A sign-in names nothing but the credential.
create unique index passkey_by_credential on passkey (credential_id);
create index passkey_of_technician on passkey (msp_id, technician_id);
select stint_protect('passkey');

-- What an authenticator was asked to sign, once: of no tenant (who signs in is not known yet), for the system alone.
create table passkey_challenge (
  challenge_hash bytea primary key,
  purpose text not null check (purpose in ('SIGN_IN', 'REGISTER', 'JOIN', 'RECOVER')),
  -- For what: a technician's id, or the hash of a link's token.
  bound_to text not null,
  -- Whose passkey is registered; null for a sign-in.
  technician_id uuid,
  expires_at timestamptz not null
);
create index passkey_challenge_expiry on passkey_challenge (expires_at);
revoke all on passkey_challenge from :app;
grant select, insert, update, delete on passkey_challenge to :system;
