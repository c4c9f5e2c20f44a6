-- The schema of the stand-ins for services/tenants and services/jit-policy in this service's tests: it only sends messages and collects audit events.
create table nothing (id int);
