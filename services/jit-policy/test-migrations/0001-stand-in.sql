-- The schema of the stand-in for services/tenants in this service's tests: it only sends messages and collects audit events.
create table nothing (id int);
