-- Break-glass accounts of Microsoft Entra ID: they are on no device. Their own row is their lock, and services/entra-connector sets their passwords.
alter table laps_account drop constraint laps_account_kind_check;
alter table laps_account add constraint laps_account_kind_check check (kind in ('LOCAL', 'DOMAIN', 'ENTRA'));
alter table laps_account alter column device_id drop not null;
alter table laps_account
  -- Of what services/entra-connector told of it last.
  add column told_version int,
  -- When services/entra-connector was told last that a change is due, or took it up; null: not since the last one.
  add column due_told_at timestamptz,
  add check ((device_id is null) = (kind = 'ENTRA')),
  add check ((told_version is null) = (kind <> 'ENTRA'));
create index laps_account_entra_due on laps_account (due_told_at) where wanted and kind = 'ENTRA';
