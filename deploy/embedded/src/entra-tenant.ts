import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { GraphEmulator } from '@stint/graph-emulator';
import { z } from 'zod';
import type { DataDirectory } from './data-directory.ts';

/** Starts the Graph emulator; what is in it outlives it. */
export async function startGraph(directory: DataDirectory): Promise<GraphEmulator> {
  await mkdir(directory.at('demo'), { recursive: true, mode: 0o700 });
  return GraphEmulator.start({ stateFile: directory.at('demo', 'graph.json') });
}

/** How the customer's own auditor gets into their Entra tenant: an app registration that can only read, and has nothing to do with Stint. */
export interface AuditorAccess {
  clientId: string;
  secret: string;
}

export function registerAuditor(graph: GraphEmulator, entraTenantId: string): AuditorAccess {
  const secret = randomBytes(24).toString('base64url');
  const { clientId } = graph.tenant({ id: entraTenantId }).registerApp({
    displayName: 'Audit',
    secrets: [{ value: secret }],
    permissions: ['User.Read.All', 'RoleManagement.Read.Directory', 'UserAuthenticationMethod.Read.All'],
  });
  return { clientId, secret };
}

const user = z.object({ id: z.string(), accountEnabled: z.boolean(), signInSessionsValidFromDateTime: z.iso.datetime() });
const listOf = <Item extends z.ZodType>(item: Item) => z.object({ value: z.array(item) });
const assignments = listOf(z.object({ roleDefinitionId: z.string() }));
const role = z.object({ displayName: z.string() });
const passes = listOf(z.object({ isUsable: z.boolean() }));
const signIn = z.object({ signedIn: z.boolean(), reason: z.string().optional() });

/** An account as Microsoft Graph shows it. */
export interface AccountInEntra {
  id: string;
  enabled: boolean;
  /** Display names of its roles. */
  roles: string[];
  usablePasses: number;
  /** Sessions that began before are over. */
  sessionsValidFrom: Date;
}

/** A customer's Entra tenant, looked at with the customer's own eyes: over HTTP, past Stint. */
export class EntraTenantView {
  readonly #graphUrl: string;
  readonly #entraTenantId: string;
  readonly #token: string;

  private constructor(graphUrl: string, entraTenantId: string, token: string) {
    this.#graphUrl = graphUrl;
    this.#entraTenantId = entraTenantId;
    this.#token = token;
  }

  static async open(graphUrl: string, entraTenantId: string, auditor: AuditorAccess): Promise<EntraTenantView> {
    const form = { client_id: auditor.clientId, client_secret: auditor.secret, scope: `${graphUrl}/.default` };
    const response = await fetch(`${graphUrl}/login/${entraTenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    });
    const { access_token: token } = z.object({ access_token: z.string() }).parse(await response.json());
    return new EntraTenantView(graphUrl, entraTenantId, token);
  }

  /** An account by its user principal name. */
  async account(userPrincipalName: string): Promise<AccountInEntra> {
    const select = 'id,accountEnabled,signInSessionsValidFromDateTime';
    const found = await this.#read(user, `/users/${encodeURIComponent(userPrincipalName)}?$select=${select}`);
    const filter = encodeURIComponent(`principalId eq '${found.id}'`);
    const [held, methods] = await Promise.all([
      this.#read(assignments, `/roleManagement/directory/roleAssignments?$filter=${filter}`),
      this.#read(passes, `/users/${found.id}/authentication/temporaryAccessPassMethods`),
    ]);
    return {
      id: found.id,
      enabled: found.accountEnabled,
      roles: await Promise.all(held.value.map(({ roleDefinitionId }) => this.#roleName(roleDefinitionId))),
      usablePasses: methods.value.filter(({ isUsable }) => isUsable).length,
      sessionsValidFrom: new Date(found.signInSessionsValidFromDateTime),
    };
  }

  /** Somebody signs in at a portal of Microsoft; answers why not, or null. */
  async signIn(upn: string, pass: string): Promise<string | null> {
    const address = `${this.#graphUrl}/login/${this.#entraTenantId}/portal`;
    const response = await fetch(address, { method: 'POST', body: new URLSearchParams({ upn, pass }) });
    const { signedIn, reason } = signIn.parse(await response.json());
    return signedIn ? null : (reason ?? 'REFUSED');
  }

  async #roleName(id: string): Promise<string> {
    return (await this.#read(role, `/roleManagement/directory/roleDefinitions/${id}`)).displayName;
  }

  async #read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>> {
    const response = await fetch(`${this.#graphUrl}/v1.0${path}`, { headers: { authorization: `Bearer ${this.#token}` } });
    if (!response.ok) throw new Error(`Microsoft Graph answers ${path} with ${response.status}: ${await response.text()}`);
    return schema.parse(await response.json());
  }
}
