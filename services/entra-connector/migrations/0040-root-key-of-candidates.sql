-- Which root key wrapped a password under way: read from the envelope itself (libs/crypto), so that no writer can forget it.
alter table break_glass_candidate
  add column root_key_id text not null generated always as (encode(substring(wrapped from 2 for 8), 'hex')) stored;
