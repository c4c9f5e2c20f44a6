-- How many services were told: services/entra-connector is the second. What was told to services/tenants alone is told again.
alter table audit_retention_told add column audience int not null default 1;
