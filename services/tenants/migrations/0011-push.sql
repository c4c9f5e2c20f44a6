-- Browsers in which a technician wants to be told what waits for them (Push API, RFC 8030).
create table push_subscription (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  technician_id uuid not null,
  -- The sign-in in which the browser was saved: it gets nothing any more when that ends, however it does.
  session_id uuid not null,
  endpoint text not null,
  -- The browser's keys (RFC 8291), base64url: P-256 point and authentication secret.
  p256dh text not null,
  auth text not null,
  created_at timestamptz not null,
  primary key (msp_id, id),
  foreign key (msp_id, session_id) references sign_in_session on delete cascade,
  unique (msp_id, technician_id, endpoint)
);
create index push_subscription_of_session on push_subscription (msp_id, session_id);
select stint_protect('push_subscription');

-- One push message on its way to one browser.
create table push_delivery (
  msp_id uuid not null,
  tenant_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  login_request_id uuid not null,
  expires_at timestamptz not null,
  state text not null check (state in ('PENDING', 'SENT', 'FAILED')),
  -- The push service's last answer, or why there was none.
  result text,
  attempts int not null default 0,
  -- When to send it (again). While somebody sends it: when that one must have died.
  due_at timestamptz not null,
  primary key (msp_id, id),
  foreign key (msp_id, subscription_id) references push_subscription on delete cascade,
  unique (msp_id, subscription_id, login_request_id)
);
select stint_protect('push_delivery');
create index push_delivery_due on push_delivery (due_at) where state = 'PENDING';
create index push_delivery_over on push_delivery (expires_at);
