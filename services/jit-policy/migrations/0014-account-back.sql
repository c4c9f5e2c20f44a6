-- An account that was seen gone can come back (a computer set back to a snapshot) when its owner has another one already:
-- until the device has deleted it once more there are two, of which one is to go.
drop index jit_account_one_per_technician;
create unique index jit_account_one_per_technician on jit_account (msp_id, device_id, technician_id) where removed_at is null and absent_since is null;
drop index jit_account_one_shared;
create unique index jit_account_one_shared on jit_account (msp_id, device_id)
  where technician_id is null and removed_at is null and absent_since is null;
