import { generateHpkeKeyPair, openSealed } from '@stint/crypto';
import type { GraphEmulator } from '@stint/graph-emulator';
import { newId } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import { TOTP, URI } from 'otpauth';
import { connectEntra, type ConnectedEntra } from './entra-seed.ts';
import {
  DemoConfirmTotpDocument,
  DemoCreateTenantDocument,
  DemoEnrollmentTokenDocument,
  DemoEnrollTotpDocument,
  DemoInviteDocument,
  DemoSettingsDocument,
} from './generated/operations.ts';
import { Person } from './person.ts';

/** What the first start makes: an MSP with an administrator, a customer, a technician with TOTP, and a token for one computer. */
export interface Seeded {
  mspId: string;
  tenantId: string;
  administrator: Person;
  technician: Person;
  totpUri: string;
  enrollmentToken: string;
}

/** Fills an empty installation through the public interface, exactly as people would. */
export async function seed(url: string, firstLink: string): Promise<Seeded> {
  return (await seedWith(url, firstLink, () => Promise.resolve())).seeded;
}

/** The same with the customer's Entra tenant, an emulated one, connected. */
export async function seedWithEntra(url: string, firstLink: string, graph: GraphEmulator): Promise<Seeded & { entra: ConnectedEntra }> {
  const { seeded, more } = await seedWith(url, firstLink, (administrator, tenantId) => connectEntra(graph, administrator, tenantId));
  return { ...seeded, entra: more };
}

/** `make` makes more of the customer, beside all else. */
async function seedWith<More>(url: string, firstLink: string, make: (administrator: StintClient, tenantId: string) => Promise<More>) {
  const administrator = await Person.join(url, firstLink, {
    displayName: 'Ada Admin',
    email: 'ada@northwind.example',
    mspName: 'Northwind MSP',
  });
  const { client, tenantId: mspId } = administrator;
  const tenantId = newId();
  const created = await client.request(DemoCreateTenantDocument, { input: { id: tenantId, parentId: mspId, name: 'Contoso Dental' } });
  expectType(created.createTenant, 'Tenant');
  const settings = await client.request(DemoSettingsDocument, { input: { tenantId, totpLogin: true } });
  expectType(settings.updateJitSettings, 'Tenant');
  const [{ technician, totpUri }, issued, more] = await Promise.all([
    hireTechnician(url, client, mspId),
    client.request(DemoEnrollmentTokenDocument, {
      input: { id: newId(), tenantId, kind: 'WORKSTATION', uses: 1, lifetimeSeconds: 30 * 24 * 3600 },
    }),
    make(client, tenantId),
  ]);
  const enrollmentToken = expectType(issued.issueEnrollmentToken, 'IssuedEnrollmentToken').token;
  return { seeded: { mspId, tenantId, administrator, technician, totpUri, enrollmentToken }, more };
}

async function hireTechnician(url: string, administrator: StintClient, mspId: string): Promise<{ technician: Person; totpUri: string }> {
  const email = 'anna@northwind.example';
  const link = await invite(administrator, { id: newId(), tenantId: mspId, email, roles: ['TECHNICIAN'] });
  const technician = await Person.join(url, link, { displayName: 'Anna Berg', email });
  return { technician, totpUri: await enrollTotp(technician) };
}

/** Invites somebody and answers the link. The same call again, before it was redeemed, answers a new one. */
export async function invite(
  administrator: StintClient,
  input: { id: string; tenantId: string; email: string; roles: ('ADMINISTRATOR' | 'TECHNICIAN')[] },
): Promise<string> {
  const { inviteTechnician } = await administrator.request(DemoInviteDocument, { input });
  return expectType(inviteTechnician, 'Invitation').link;
}

/** Enrols TOTP as an authenticator app on a phone would; answers the `otpauth://` URI that stays on the phone. */
async function enrollTotp(technician: Person): Promise<string> {
  const keys = await generateHpkeKeyPair();
  const answer = await technician.client.request(DemoEnrollTotpDocument, { input: { recipientKey: keys.publicKey } });
  const sealed = expectType(answer.enrollTotp, 'TotpEnrollment');
  const opened = await openSealed({ privateKey: keys.privateKey, info: 'stint-totp-enrollment-v1', aad: technician.technicianId }, sealed);
  const uri = Buffer.from(opened).toString('utf8');
  const confirmed = await technician.client.request(DemoConfirmTotpDocument, { input: { code: codeOf(uri) } });
  expectType(confirmed.confirmTotp, 'Technician');
  return uri;
}

/** The six digits that an authenticator app shows now. */
export function codeOf(totpUri: string): string {
  const app = URI.parse(totpUri);
  if (!(app instanceof TOTP)) throw new Error('Not a TOTP enrolment.');
  return app.generate();
}
