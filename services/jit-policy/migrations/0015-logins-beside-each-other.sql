-- Several logins may wait at one device: at the console, over SSH, by su.
drop index login_request_one_pending;
create index login_request_pending on login_request (msp_id, device_id) where state = 'PENDING';
