-- Whoever signs in is found by the id alone.
create unique index technician_by_id on technician (id);

-- The OpenID Connect identity provider at which the technicians of a tenant and of those below sign in; the nearest counts.
create table identity_provider (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  issuer text not null,
  client_id text not null,
  -- Wrapped by the key provider, bound to this row: the client secret, or the private JWK for private_key_jwt.
  client_secret bytea,
  client_key bytea,
  -- The public half of client_key, to be registered at the identity provider.
  client_jwk jsonb,
  passkey_too boolean not null,
  required boolean not null,
  primary key (msp_id, id),
  check ((client_secret is null) <> (client_key is null))
);
create unique index identity_provider_of_tenant on identity_provider (msp_id, tenant_id);
select stint_protect('identity_provider');

-- Whom the identity provider means by a subject: bound at the first sign-in, by a verified email address.
create table identity_link (
  msp_id uuid not null,
  -- The technician's home.
  tenant_id uuid not null,
  provider_id uuid not null,
  subject text not null,
  technician_id uuid not null,
  primary key (msp_id, provider_id, subject),
  foreign key (msp_id, provider_id) references identity_provider (msp_id, id) on delete cascade
);
create unique index identity_link_of_technician on identity_link (msp_id, provider_id, technician_id);
select stint_protect('identity_link');

-- Sign-ins that are away at an identity provider. Of no tenant: who comes back is not known yet. For the system alone.
create table identity_provider_sign_in (
  transaction_hash bytea primary key,
  msp_id uuid not null,
  provider_id uuid not null,
  -- State, nonce and PKCE verifier, wrapped.
  secrets bytea not null,
  expires_at timestamptz not null
);
revoke all on identity_provider_sign_in from :app;
grant select, insert, update, delete on identity_provider_sign_in to :system;
