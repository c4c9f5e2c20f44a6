-- A new key of a device or API client, not used yet: with its first use the ones before it end.
alter table credential add column pending boolean not null default false;
-- Set when a new key is registered: the old one ends then at the latest.
alter table credential add column ends_at timestamptz;
