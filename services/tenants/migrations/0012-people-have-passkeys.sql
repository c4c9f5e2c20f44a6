-- People sign in and approve with passkeys alone (ADR 0012): the key credentials are those of devices and API clients.
delete from credential where kind = 'TECHNICIAN';
alter table credential drop constraint credential_kind_check;
alter table credential add constraint credential_kind_check check (kind in ('DEVICE', 'CLIENT'));
