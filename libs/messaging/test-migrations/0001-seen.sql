-- What a consumer of messaging's own tests has noted.
create table seen (name text not null);
grant select, insert, delete on seen to :system;
