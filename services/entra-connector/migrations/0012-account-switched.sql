-- When Entra said last that an account was switched on, or off: it may show it late.
alter table entra_account add column switched_at timestamptz;
