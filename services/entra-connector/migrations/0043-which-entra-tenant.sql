-- In which Entra tenant the object ids are that we keep: a tenant may be connected to another one later. Null, from before: where they are found next.
alter table break_glass_account add column entra_tenant_id text;
alter table user_source add column entra_tenant_id text;
alter table user_source_reading add column entra_tenant_id text;
