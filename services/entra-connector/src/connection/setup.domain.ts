import type { EntraConnection } from './connection.domain.ts';
import type { Credential } from './credential.domain.ts';
import { neededPermissions, neededRoles } from './permission.domain.ts';

/** A step on the way to a connection that works. */
export interface SetupStep {
  key: 'REGISTER_APP' | 'ADD_PERMISSIONS' | 'ENTER_IDS' | 'ADD_CREDENTIAL' | 'CONSENT' | 'ASSIGN_ROLE' | 'VERIFY';
  title: string;
  /** What to do, in words for an administrator. */
  instructions: string;
  done: boolean;
}

/** All steps in their order, with which are done. `shown` null: nothing has begun. */
export function setupSteps(
  shown: { connection: EntraConnection; credentials: readonly Credential[] } | null,
  redirectUri: string,
): SetupStep[] {
  const connection = shown?.connection.state === 'DISCONNECTED' ? null : (shown?.connection ?? null);
  const lacks = (code: string) => connection?.problems.some((problem) => problem.code === code && problem.blocking) ?? true;
  const known = connection?.facts !== null && connection !== null;
  const required = neededPermissions.map(({ name }) => name).join(', ');
  const role = neededRoles.find((one) => one.required)?.name ?? '';
  return [
    {
      ...{ key: 'REGISTER_APP', title: 'Register an application', done: connection !== null },
      instructions: `In the customer's Entra admin center: "App registrations", "New registration", accounts in this directory only. As redirect address (type "Web") enter ${redirectUri}.`,
    },
    {
      ...{ key: 'ADD_PERMISSIONS', title: 'Add permissions', done: known && !lacks('PERMISSION_MISSING') },
      instructions: `Under "API permissions", "Microsoft Graph", "Application permissions" add ${required}. Each is listed here with what it is for.`,
    },
    {
      ...{ key: 'ENTER_IDS', title: 'Enter the ids', done: connection !== null },
      instructions: 'From "Overview" copy the directory (tenant) id and the application (client) id into Stint.',
    },
    {
      ...{ key: 'ADD_CREDENTIAL', title: 'Add a certificate', done: connection !== null && (shown?.credentials.length ?? 0) > 0 },
      instructions:
        'Let Stint make a certificate, and upload it under "Certificates & secrets", "Certificates". Its private key never leaves Stint. A client secret works too; it can be copied, and must be replaced by hand before it ends.',
    },
    {
      ...{ key: 'CONSENT', title: 'Let an administrator consent', done: connection !== null && (connection.consentedAt !== null || known) },
      instructions:
        'Open the consent page from here and sign in as a Global Administrator or Privileged Role Administrator of the customer.',
    },
    {
      ...{ key: 'ASSIGN_ROLE', title: 'Assign the directory role', done: known && !lacks('DIRECTORY_ROLE_MISSING') },
      instructions: `Under "Roles & admins" assign ${role} to the application.`,
    },
    {
      ...{ key: 'VERIFY', title: 'Verify', done: connection?.state === 'READY' },
      instructions: 'Verify the connection. What is missing is named, with what it is for.',
    },
  ];
}
