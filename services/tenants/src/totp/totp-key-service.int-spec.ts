import { mkdtempSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type TOTP, URI } from 'otpauth';
import type { Actor } from '@stint/contracts';
import { fileKeyProvider, generateHpkeKeyPair, openSealed, type KeyProvider } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { eventually } from '@stint/testing';
import { GroupRepository } from '../group/group.repository.ts';
import { PasskeyRepository } from '../passkey/passkey.repository.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { enrollDevice, joinFirst, startTestTenants, type Person, type TestTenants } from '../test-tenants.support.ts';
import { TotpRepository } from './totp.repository.ts';
import { TotpService } from './totp.service.ts';
import { totpFailureSweep } from './totp.sweep.ts';

let tenants: TestTenants;
let tenancy: Tenancy;
let ada: Actor;
let first: Person;
let device: Actor;
let service: TotpService;
/** Transactions that are open. */
let open = 0;
/** What happens while the key service is asked. */
let meanwhile: () => Promise<unknown>;
/** How many transactions were open each time that it was asked. */
let asked: number[];

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ first, administrator: ada } = await joinFirst(tenants));
  device = await enrollDevice(tenants, ada, ada.tenantId);
  const { appUrl, systemUrl } = tenants.database.urls('tenants');
  tenancy = await Tenancy.open({ schema: 'tenants', appUrl, systemUrl });
  const keyFile = join(mkdtempSync(join(tmpdir(), 'stint-totp-')), 'root.key');
  writeFileSync(keyFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  const technicians = new TechnicianRepository();
  const copies = new TechnicianCopies(technicians, new RoleRepository(), new GroupRepository(), new PasskeyRepository());
  service = new TotpService(
    counting(tenancy),
    new TotpRepository(),
    technicians,
    copies,
    tenants.clock,
    listening(fileKeyProvider(keyFile)),
  );
});
afterAll(async () => {
  await tenancy.close();
  await tenants.close();
});
beforeEach(() => {
  meanwhile = () => Promise.resolve();
  asked = [];
  tenants.clock.advance(90_000);
});

const codeOf = (app: TOTP) => app.generate({ timestamp: tenants.clock.now().getTime() });
const wrongOf = (app: TOTP) => (codeOf(app) === '000000' ? '000001' : '000000');
const submit = (code: string) => service.submit(device, { loginRequestId: newId(), email: 'ada@example.com', code });

test('the key service is asked while no transaction is open, for a code at a computer and for the first one', async () => {
  const app = await enroll();
  asked = [];
  await service.confirm(ada, codeOf(app));
  tenants.clock.advance(30);
  await submit(codeOf(app));
  await expect(submit('nonsense')).rejects.toMatchObject({ type: 'TotpRefused' });
  expect(asked).toEqual([0, 0, 0]);
});

test('what changes while it is asked counts: a technician who is switched off, another enrolment', async () => {
  const app = await enrolled();
  const active = (is: boolean) => tenants.database.query(`update tenants.technician set switched_off = ${!is} where id = '${ada.id}'`);
  meanwhile = () => active(false);
  await expect(submit(codeOf(app))).rejects.toMatchObject({ type: 'TotpRefused' });
  meanwhile = () => Promise.resolve();
  await active(true);
  tenants.clock.advance(30);
  const before = codeOf(app);
  meanwhile = async () => {
    meanwhile = () => Promise.resolve();
    await enrolled();
  };
  await expect(submit(before)).rejects.toMatchObject({ type: 'TotpRefused' });
});

test('the first code of an enrolment that was started anew meanwhile confirms nothing', async () => {
  const app = await enroll();
  let next: TOTP | undefined;
  meanwhile = async () => {
    meanwhile = () => Promise.resolve();
    next = await enroll();
  };
  await expect(service.confirm(ada, codeOf(app))).rejects.toMatchObject({ type: 'Conflict' });
  await service.confirm(ada, codeOf(next!));
});

test('wrong first codes are audited, the one that locks by its own name', async () => {
  const app = await enroll();
  for (let wrong = 0; wrong < 5; wrong += 1)
    await expect(service.confirm(ada, wrongOf(app))).rejects.toMatchObject({ type: 'TotpRefused' });
  await expect(service.confirm(ada, codeOf(app))).rejects.toMatchObject({ type: 'TotpLocked' });
  await eventually(async () => {
    const told = await tenants.database.query<{ action: string; actor_id: string; details: object }>(
      `select action, actor_id, details from tenants.audit_event where subject_id = '${ada.id}' and action in ('totp.refused', 'totp.locked')
       order by sequence`,
    );
    expect(told.map(({ action }) => action).sort()).toEqual(['totp.locked', ...Array.from({ length: 4 }, () => 'totp.refused')]);
    expect(told.every(({ actor_id, details }) => actor_id === ada.id && JSON.stringify(details).includes('"enrolment":true'))).toBe(true);
  });
});

test('wrong codes that count no more are swept, those that count stay', async () => {
  const hours = (count: number) => new Date(tenants.clock.now().getTime() - count * 3_600_000).toISOString();
  const rows = [
    ...Array.from({ length: 700 }, (_, index) => `('old-${index}', '${hours(25)}', null)`),
    `('locked', '${hours(25)}', '${hours(-0.5)}')`,
    `('unlocked', '${hours(25)}', '${hours(1)}')`,
    `('young', '${hours(23)}', null)`,
  ];
  await tenants.database.query(
    `insert into tenants.totp_failures (msp_id, tenant_id, subject, window_began_at, locked_until)
     select '${newId()}', '${newId()}', subject, began::timestamptz, locked::timestamptz from (values ${rows.join(', ')}) as v(subject, began, locked)`,
  );
  const sweep = () => tenancy.asSystem((tx) => totpFailureSweep.run(tx, tenants.clock.now()));
  expect(await sweep()).toBe(500);
  while ((await sweep()) > 0);
  const left = await tenants.database.query<{ subject: string }>(
    `select subject from tenants.totp_failures where subject like 'old%' or subject in ('locked', 'unlocked', 'young') order by 1`,
  );
  expect(left.map(({ subject }) => subject)).toEqual(['locked', 'young']);
});

async function enroll(): Promise<TOTP> {
  const { publicKey, privateKey } = await generateHpkeKeyPair();
  const sealed = await service.enroll(first.fresh(), { recipientKey: publicKey });
  const uri = await openSealed({ privateKey, info: 'stint-totp-enrollment-v1', aad: ada.id }, sealed);
  return URI.parse(uri.toString()) as TOTP;
}

async function enrolled(): Promise<TOTP> {
  const app = await enroll();
  await service.confirm(ada, codeOf(app));
  tenants.clock.advance(30);
  return app;
}

function counting(of: Tenancy): Tenancy {
  const during = async <T>(work: Promise<T>): Promise<T> => {
    open += 1;
    return work.finally(() => (open -= 1));
  };
  return {
    asSystem: (work) => during(of.asSystem(work)),
    inTenant: (actor, tenantId, work) => during(of.inTenant(actor, tenantId, work)),
    readTenants: (actor, work) => during(of.readTenants(actor, work)),
  } as Pick<Tenancy, 'asSystem' | 'inTenant' | 'readTenants'> as Tenancy;
}

function listening(keys: KeyProvider): KeyProvider {
  return {
    ...keys,
    wrap: (...args) => keys.wrap(...args),
    async unwrap(...args) {
      asked.push(open);
      const opened = await keys.unwrap(...args);
      await meanwhile();
      return opened;
    },
  };
}
