import type { AppRegistration, GraphEmulator } from '@stint/graph-emulator';
import { newId } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import {
  DemoAddEntraCertificateDocument,
  DemoBeginEntraConsentDocument,
  DemoConnectEntraDocument,
  DemoCreateAccessRuleDocument,
  DemoEntraSetupDocument,
  DemoFinishEntraConsentDocument,
} from './generated/operations.ts';

/** The role in Entra that the technicians of the demo may ask for. */
export const entraRole = 'User Administrator';

/** A customer's Entra tenant in the emulator, connected. */
export interface ConnectedEntra {
  entraTenantId: string;
  /** The app registration there, as which Stint calls. */
  clientId: string;
}

/** Connects the customer to an Entra tenant of the emulator, and lets technicians ask for a role there, through the public interface, as people would. */
export async function connectEntra(graph: GraphEmulator, administrator: StintClient, tenantId: string): Promise<ConnectedEntra> {
  // As most customers of this size: without Entra ID P2 Stint alone takes roles away. With it Microsoft keeps each for five minutes at least.
  const entra = graph.tenant({ displayName: 'Contoso Dental', licences: 'P1' });
  const app = entra.registerApp({ ...(await wanted(administrator)), displayName: 'Stint', consented: false });
  const connection = { entraTenantId: entra.id, clientId: app.clientId };
  const begun = await administrator.request(DemoConnectEntraDocument, { input: { tenantId, ...connection } });
  expectType(begun.connectEntra, 'EntraConnection');
  const { addEntraCertificate } = await administrator.request(DemoAddEntraCertificateDocument, { input: { tenantId } });
  for (const { certificatePem } of expectType(addEntraCertificate, 'EntraConnection').credentials)
    if (certificatePem !== null) entra.addCredential(app.clientId, { certificate: { pem: certificatePem } });
  await consent(administrator, tenantId);
  const input = { id: newId(), tenantId, name: 'User administration in Entra', kinds: ['ENTRA_ROLE' as const], entraRoles: [entraRole] };
  const rule = await administrator.request(DemoCreateAccessRuleDocument, { input: { ...input, maxSeconds: 3600, requireReason: true } });
  expectType(rule.createAccessRule, 'AccessRule');
  return connection;
}

/** What Stint says that its app registration needs. */
async function wanted(administrator: StintClient): Promise<AppRegistration> {
  const { permissions, directoryRoles } = (await administrator.request(DemoEntraSetupDocument)).entraSetup;
  return {
    permissions: permissions.map(({ name }) => name) as NonNullable<AppRegistration['permissions']>,
    directoryRoles: directoryRoles.map(({ name }) => name) as NonNullable<AppRegistration['directoryRoles']>,
  };
}

/** The customer's administrator follows the address, says yes there, and comes back. */
async function consent(administrator: StintClient, tenantId: string): Promise<void> {
  const { beginEntraConsent } = await administrator.request(DemoBeginEntraConsentDocument, { input: { tenantId } });
  const answer = await fetch(expectType(beginEntraConsent, 'EntraConsent').url, { redirect: 'manual' });
  const back = new URL(answer.headers.get('location') ?? '', 'http://nowhere.invalid').searchParams;
  const input = {
    state: back.get('state') ?? '',
    entraTenantId: back.get('tenant'),
    given: back.get('admin_consent') === 'True',
    error: back.get('error'),
  };
  const { finishEntraConsent } = await administrator.request(DemoFinishEntraConsentDocument, { input });
  const { state, whyUnusable } = expectType(finishEntraConsent, 'EntraConnection');
  if (state !== 'READY') throw new Error(`The Entra tenant is not connected: ${whyUnusable ?? state}`);
}
