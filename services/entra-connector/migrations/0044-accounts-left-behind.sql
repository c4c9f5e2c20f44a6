-- The former Entra tenant in which an account was left when the tenant was connected to another one: it waits for that one to be connected again.
alter table entra_account add column left_in text;
