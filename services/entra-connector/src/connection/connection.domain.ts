import { addSeconds, conflict, invalidInput, type Id } from '@stint/kernel';
import type { Cloud } from '../graph/cloud.domain.ts';
import type { ConnectionProblem, TenantKnowledge } from './finding.domain.ts';

/** READY alone means that access can be given. */
export type ConnectionState = 'SETUP' | 'READY' | 'BROKEN' | 'DISCONNECTING' | 'DISCONNECTED';

/** The connection of a tenant to its Entra tenant. */
export interface EntraConnection {
  mspId: Id;
  tenantId: Id;
  state: ConnectionState;
  entraTenantId: string;
  cloud: Cloud;
  clientId: string;
  consentedAt: Date | null;
  problems: ConnectionProblem[];
  facts: TenantKnowledge | null;
  verifiedAt: Date | null;
  verifyDueAt: Date | null;
  version: number;
}

/** Which Entra tenant, and as which application. */
export type Registration = Pick<EntraConnection, 'entraTenantId' | 'cloud' | 'clientId'>;

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The registration with its ids in one spelling. Problem `InvalidInput`. */
export function checkedRegistration({ entraTenantId, cloud, clientId }: Registration): Registration {
  const checked = { entraTenantId: entraTenantId.trim().toLowerCase(), cloud, clientId: clientId.trim().toLowerCase() };
  if (!guid.test(checked.entraTenantId)) {
    const message =
      'Pass the tenant id (a GUID, under "Overview" in the Entra admin center), not a domain and never "common": it must be this one tenant.';
    throw invalidInput('entraTenantId', message);
  }
  if (!guid.test(checked.clientId)) {
    throw invalidInput('clientId', 'Pass the "Application (client) ID" of the app registration, a GUID.');
  }
  return checked;
}

/** A connection that begins, or begins anew: after it was ended, or while it has never worked. */
export function begun(place: { mspId: Id; tenantId: Id }, registration: Registration, before: EntraConnection | null): EntraConnection {
  if (before !== null && before.state !== 'DISCONNECTED' && before.state !== 'SETUP') {
    throw conflict('This tenant is connected already. To connect it otherwise, disconnect it first.');
  }
  return {
    ...{ mspId: place.mspId, tenantId: place.tenantId, ...registration, state: 'SETUP', consentedAt: null },
    ...{ problems: [], facts: null, verifiedAt: null, verifyDueAt: null, version: (before?.version ?? 0) + 1 },
  };
}

export function sameRegistration(one: Registration, other: Registration): boolean {
  return one.entraTenantId === other.entraTenantId && one.cloud === other.cloud && one.clientId === other.clientId;
}

/** The connection, unless it is ended or ends: then it takes no more changes. */
export function changeable(connection: EntraConnection): EntraConnection {
  if (connection.state === 'DISCONNECTING' || connection.state === 'DISCONNECTED') {
    throw conflict('This connection is being ended, or was. Connect the tenant anew.');
  }
  return connection;
}

const readyAgainSeconds = 6 * 3600;
const brokenAgainSeconds = 900;
const unreachableAgainSeconds = 300;

/** What a verification made of a connection. `chance` (0 to 1) spreads the next one by a tenth. */
export function verified(
  connection: EntraConnection,
  found: { problems: ConnectionProblem[]; facts: TenantKnowledge | null },
  now: Date,
  chance: number,
): EntraConnection {
  const unreachable = found.problems.some(({ code }) => code === 'UNREACHABLE');
  const blocked = found.problems.some(({ blocking }) => blocking);
  // Microsoft away for an hour says nothing about the connection: what held goes on.
  const state = unreachable && !blocked ? connection.state : blocked ? (connection.state === 'SETUP' ? 'SETUP' : 'BROKEN') : 'READY';
  const inSeconds = unreachable ? unreachableAgainSeconds : blocked ? brokenAgainSeconds : readyAgainSeconds;
  return {
    ...connection,
    state: connection.state === 'DISCONNECTING' ? 'DISCONNECTING' : state,
    problems: found.problems,
    facts: found.facts ?? connection.facts,
    verifiedAt: unreachable ? connection.verifiedAt : now,
    verifyDueAt: addSeconds(now, inSeconds * (0.9 + chance / 5)),
    version: connection.version + 1,
  };
}

/** What to tell of the change from one to the other, in the words of the audit log; null: nothing. */
export function turn(before: ConnectionState, after: ConnectionState): 'broken' | 'recovered' | null {
  if (before === 'READY' && after === 'BROKEN') return 'broken';
  return before === 'BROKEN' && after === 'READY' ? 'recovered' : null;
}

/** Why no access can be given, in words for a technician; null where it can. */
export function whyUnusable({ state, problems }: EntraConnection): string | null {
  switch (state) {
    case 'READY':
      return null;
    case 'SETUP':
      return 'The connection to Entra ID is not set up completely.';
    case 'BROKEN': {
      const [first] = problems.filter(({ blocking }) => blocking);
      return `The connection to Entra ID does not work. ${first?.message ?? ''}`.trim().slice(0, 500);
    }
    case 'DISCONNECTING':
    case 'DISCONNECTED':
      return 'This tenant is not connected to Entra ID (any more).';
  }
}
