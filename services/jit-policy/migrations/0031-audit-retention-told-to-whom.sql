-- Which version every service was told, services/entra-connector too. A process of a version that tells services/tenants alone raises
-- `version` and nothing else, so that the two differ by themselves, and it is told again. So is everything once now.
alter table audit_retention_told add column told_all int not null default 0, drop column audience;
