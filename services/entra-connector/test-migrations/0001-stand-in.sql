-- The schema of the stand-ins for the other services in this service's tests: they only send messages and keep those they get.
create table nothing (id int);
