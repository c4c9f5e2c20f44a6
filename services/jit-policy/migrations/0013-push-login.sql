-- Logins for which a technician is asked on the phone, after their email address was typed at the computer.
-- What was typed; gone as soon as it was looked up.
alter table login_request add column asked_email text;
-- Whose phone was asked, and when: null for an address that is nobody's, and for somebody who was asked too often.
alter table login_request add column asked_technician_id uuid;
alter table login_request add column asked_at timestamptz;
-- The one who was asked said that it was not them.
alter table login_request add column disowned_at timestamptz;
alter table login_request add constraint login_request_asked
  check ((asked_technician_id is null) = (asked_at is null) and (method = 'PUSH' or (asked_email is null and asked_at is null)));
create index login_request_of_asked on login_request (msp_id, asked_technician_id, asked_at) where asked_technician_id is not null;
create index technician_email on technician (msp_id, lower(email));
