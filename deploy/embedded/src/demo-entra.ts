import { expectType } from '@stint/sdk';
import { EntraRequest, entraOffer } from './entra-request.ts';
import { EntraTenantView } from './entra-tenant.ts';
import { entraRole } from './entra-seed.ts';
import { DemoEndGrantDocument } from './generated/operations.ts';
import type { Person } from './person.ts';
import { expect, say, seen, step, until } from './stage.ts';
import type { DemoWorld } from './world.ts';

// Making an account takes a dozen calls of Microsoft Graph; taking it away as many.
const patienceMs = 60_000;

/** A role in the customer's Entra tenant, from the request to the removal; answers the grant's id. */
export async function accessInEntra(world: DemoWorld, technician: Person): Promise<string> {
  say('\nAccess in Entra');
  step(`Anna asks for the role "${entraRole}" in her browser`);
  const offer = await entraOffer(technician, world.tenantId, entraRole);
  expect(
    offer.allowed,
    `the page shows ${offer.tenantName}, ${entraRole}, ${offer.defaultSeconds / 60} minutes, by the rule "${offer.ruleName ?? '?'}"`,
  );
  step('She says why, and her passkey signs exactly what she was shown');
  const request = await EntraRequest.make(technician, offer, 'Locked out after a name change');
  const active = await until('the access', async () => ((await request.grant()).state === 'ACTIVE' ? request.signIn() : null), patienceMs);
  seen(`the one-time credential came sealed, and opened with her browser's key: ${active.pass.slice(0, 2)}…`);

  step("The customer's Entra tenant, as its own auditor sees it in Microsoft Graph");
  const entra = await EntraTenantView.open(world.graphUrl, world.entra.entraTenantId, world.entra.auditor);
  const during = await entra.account(active.userPrincipalName);
  expect(during.enabled, `${active.userPrincipalName} is enabled`);
  expect(during.roles.join() === entraRole, `its one role is ${during.roles.join(', ') || '(none)'}`);
  expect(during.usablePasses === 1, 'one Temporary Access Pass opens it');
  const refused = await entra.signIn(active.userPrincipalName, active.pass);
  expect(refused === null, `Anna signs in at Microsoft with it${refused === null ? '' : `: ${refused}`}`);

  step('She ends the access');
  const ended = await technician.client.request(DemoEndGrantDocument, { input: { id: request.grantId } });
  expectType(ended.endGrant, 'Grant');
  await until('the grant to end', async () => (await request.grant()).state === 'ENDED', patienceMs);
  seen('the grant has ENDED: the connector read back that all of it is gone');
  const after = await entra.account(active.userPrincipalName);
  expect(after.roles.length === 0, 'in Entra the account has no role any more');
  expect(!after.enabled, 'it is disabled');
  expect(after.usablePasses === 0, 'its pass is gone');
  expect(after.sessionsValidFrom > during.sessionsValidFrom, `sessions from before ${after.sessionsValidFrom.toISOString()} are over`);
  const again = await entra.signIn(active.userPrincipalName, active.pass);
  expect(again !== null, `the pass does not open it any more (${again ?? ''})`);
  return request.grantId;
}
