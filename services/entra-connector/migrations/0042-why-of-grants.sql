-- Why the technician wants it, and the ticket that it is for: shown in the customer's own audit log.
alter table entra_grant
  add column reason text,
  add column ticket text;
