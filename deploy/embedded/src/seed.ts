import type { KeyObject } from 'node:crypto';
import { generateHpkeKeyPair, generateSigningKey, openSealed, privateKeyToPem, publicKeyX } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { expectType, StintClient } from '@stint/sdk';
import { TOTP, URI } from 'otpauth';
import {
  DemoConfirmTotpDocument,
  DemoCreateTenantDocument,
  DemoEnrollmentTokenDocument,
  DemoEnrollTotpDocument,
  DemoInviteDocument,
  DemoRedeemDocument,
  DemoSettingsDocument,
} from './generated/operations.ts';
import type { DemoWorld } from './world.ts';

interface SignedUp {
  client: StintClient;
  technicianId: string;
  tenantId: string;
  credentialId: string;
  key: KeyObject;
}

/** What the first start makes: an MSP with an administrator, a customer, a technician with TOTP, and a token for one computer. */
export interface Seeded {
  world: Omit<DemoWorld, 'enrollmentToken'>;
  enrollmentToken: string;
}

/** Fills an empty installation through the public interface, exactly as people would. */
export async function seed(url: string, firstLink: string): Promise<Seeded> {
  const administrator = await signUp(url, firstLink, {
    displayName: 'Ada Admin',
    email: 'ada@northwind.example',
    mspName: 'Northwind MSP',
  });
  const tenantId = newId();
  const created = await administrator.client.request(DemoCreateTenantDocument, {
    input: { id: tenantId, parentId: administrator.tenantId, name: 'Contoso Dental' },
  });
  expectType(created.createTenant, 'Tenant');
  const settings = await administrator.client.request(DemoSettingsDocument, { input: { tenantId, totpLogin: true } });
  expectType(settings.updateJitSettings, 'Tenant');
  const invited = await administrator.client.request(DemoInviteDocument, {
    input: { id: newId(), tenantId: administrator.tenantId, email: 'anna@northwind.example', roles: ['TECHNICIAN'] },
  });
  const technician = await signUp(url, expectType(invited.inviteTechnician, 'Invitation').link, { displayName: 'Anna Berg' });
  const totpUri = await enrollTotp(technician);
  const issued = await administrator.client.request(DemoEnrollmentTokenDocument, {
    input: { id: newId(), tenantId, kind: 'WORKSTATION', uses: 1, lifetimeSeconds: 30 * 24 * 3600 },
  });
  return {
    enrollmentToken: expectType(issued.issueEnrollmentToken, 'IssuedEnrollmentToken').token,
    world: {
      url,
      mspId: administrator.tenantId,
      tenantId,
      administrator: asPerson(administrator, 'ada@northwind.example'),
      technician: { ...asPerson(technician, 'anna@northwind.example'), totpUri },
    },
  };
}

async function signUp(url: string, link: string, who: { displayName: string; email?: string; mspName?: string }): Promise<SignedUp> {
  const key = generateSigningKey();
  const credentialId = newId();
  const token = new URL(link).hash.slice(1);
  const answer = await new StintClient({ url }).request(DemoRedeemDocument, {
    input: { token, credentialId, publicKey: publicKeyX(key), ...who },
  });
  const { technician } = expectType(answer.redeemInvitation, 'SignUp');
  if (technician.tenant == null) throw new Error('The new technician belongs to no tenant.');
  return {
    client: new StintClient({ url, credential: { id: credentialId, privateKey: key } }),
    technicianId: technician.id,
    tenantId: technician.tenant.id,
    credentialId,
    key,
  };
}

/** Enrols TOTP as an authenticator app on a phone would; answers the `otpauth://` URI that stays on the phone. */
async function enrollTotp(technician: SignedUp): Promise<string> {
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

function asPerson(person: SignedUp, email: string): DemoWorld['administrator'] {
  return { technicianId: person.technicianId, credentialId: person.credentialId, privateKey: privateKeyToPem(person.key), email };
}
