-- Keys are passkeys from now on: credential id, COSE key, COSE algorithm. What is here are Ed25519 credentials (-8).
update technician set keys = (
  select coalesce(jsonb_agg(jsonb_build_object('id', key ->> 'id', 'publicKey', key ->> 'x', 'algorithm', -8)), '[]') from jsonb_array_elements(keys) as key
);
