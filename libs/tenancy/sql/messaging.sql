-- Messages on their way out and in (libs/messaging). Not tenants' rows: no row-level security, but request code can
-- only add to the outbox.

-- One row per message and service that gets it. It stays until that service has acknowledged it.
create table if not exists outbox (
  id uuid not null,
  target text not null,
  type text not null,
  version int not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  -- When to publish (again). Pushed back at each publication, so that a message lost on its way is sent again.
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  primary key (id, target)
);
create index if not exists outbox_due on outbox (due_at);
revoke all on outbox from :app, :system;
grant insert on outbox to :app;
grant select, insert, update, delete on outbox to :system;

-- The messages whose effect is in this database: the id is written in the transaction of the effect.
create table if not exists inbox (
  message_id uuid primary key,
  received_at timestamptz not null default now()
);
create index if not exists inbox_received on inbox (received_at);
grant select, insert, delete on inbox to :system;
