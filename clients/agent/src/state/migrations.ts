import { z } from 'zod';
import { reading } from '../deadline/device-clock.ts';

// The state file as version 1 wrote it: one grant per account. Read loosely; what comes out is checked as version 2.
const nullableText = z.string().nullable();
const recordV1 = z.looseObject({
  accountId: z.string(),
  name: nullableText,
  uid: z.number().nullable(),
  grantId: nullableText,
  loginRequestId: nullableText,
  phase: z.string(),
  since: reading,
  deadline: z.looseObject({}).nullable(),
  endReason: nullableText,
  detail: nullableText,
});
const desiredAccountV1 = z.looseObject({
  state: z.string(),
  grantId: nullableText,
  loginRequestId: nullableText,
  sessionSeconds: z.number().nullable(),
  activateBy: z.number().nullable(),
  expiresAt: z.number().nullable(),
});
const stateV1 = z.looseObject({
  version: z.literal(1),
  desired: z.looseObject({ revision: z.number(), accounts: z.array(desiredAccountV1) }).nullable(),
  records: z.record(z.string(), recordV1),
  logins: z.record(z.string(), z.looseObject({ session: z.unknown() })),
});

/** Brings what an older agent wrote down to the present form, so that running sessions survive the agent's own update. Not yet checked. */
export function migrated(stored: unknown): unknown {
  const old = stateV1.safeParse(stored);
  if (!old.success) return stored;
  const { desired, records, logins, ...rest } = old.data;
  return {
    ...rest,
    version: 2,
    desired: desired && { ...desired, accounts: desired.accounts.map(accountFromV1) },
    records: Object.fromEntries(Object.entries(records).map(([id, record]) => [id, recordFromV1(record, desired?.revision ?? 0)])),
    logins: Object.fromEntries(
      Object.entries(logins).map(([id, { session, ...login }]) => [id, { ...login, sessions: session ? [session] : [] }]),
    ),
    offlineLogins: [],
    strays: [],
  };
}

function accountFromV1(account: z.infer<typeof desiredAccountV1>) {
  const { grantId, loginRequestId, sessionSeconds, activateBy, expiresAt, ...rest } = account;
  const isOn = account.state === 'ENABLED' && grantId !== null && sessionSeconds !== null && activateBy !== null;
  return { ...rest, grants: isOn ? [{ grantId, loginRequestId, sessionSeconds, activateBy, expiresAt }] : [] };
}

function recordFromV1(record: z.infer<typeof recordV1>, revision: number) {
  const { accountId, name, uid, grantId, loginRequestId, phase, since, deadline, endReason, detail } = record;
  const rest = { offline: null, idleEndSeconds: null, warnSeconds: 300, privilegedBefore: null, privileged: null };
  const grant = { grantId, loginRequestId, phase, since, deadline: deadline && { ...deadline, revision }, endReason, detail, ...rest };
  return { accountId, name, uid, wanted: null, grants: grantId === null ? {} : { [grantId]: grant } };
}
