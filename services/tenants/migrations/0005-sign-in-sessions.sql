-- A person's sign-in session at the gateway: one OAuth grant. `payload` is what the authorization server wants back; no secrets.
create table sign_in_session (
  msp_id uuid not null,
  -- Where the technician lives.
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  client text not null,
  user_agent text not null,
  signed_in_by text not null check (signed_in_by in ('PASSKEY', 'IDENTITY_PROVIDER', 'IDENTITY_PROVIDER_AND_PASSKEY')),
  payload jsonb not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (msp_id, id)
);
-- The gateway knows nothing but the session's id.
create unique index sign_in_session_by_id on sign_in_session (id);
create index sign_in_session_of_technician on sign_in_session (msp_id, technician_id, id);
create index sign_in_session_expiry on sign_in_session (expires_at);
select stint_protect('sign_in_session');

-- What the gateway's authorization server keeps from one request to the next. Of no tenant: before the sign-in nobody knows
-- whose it will be, and after it whoever holds the artefact is known by nothing else. For the system alone. Whoever
-- holds the id of one may use it, so that only its SHA-256 is kept, and the payload has the id taken out.
create table sign_in_artefact (
  model text not null check (model in ('INTERACTION', 'AUTHORIZATION_CODE', 'REFRESH_TOKEN')),
  id_hash bytea not null,
  session_id uuid,
  payload jsonb not null,
  -- How often its refresh token was renewed before this one.
  rotation int not null default 0,
  -- Another token was given out in this one's place.
  superseded boolean not null default false,
  tries int not null default 0,
  used_at timestamptz,
  expires_at timestamptz not null,
  primary key (model, id_hash)
);
create index sign_in_artefact_of_session on sign_in_artefact (session_id) where session_id is not null;
create index sign_in_artefact_expiry on sign_in_artefact (expires_at);
revoke all on sign_in_artefact from :app;
grant select, insert, update, delete on sign_in_artefact to :system;
