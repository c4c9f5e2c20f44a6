import type { DomainLoginMode } from './settings.domain.ts';

/** Where the account of a login is. */
export type AccountKind = 'LOCAL' | 'DOMAIN';

/** An enrolled agent on a domain controller. */
export interface DomainController {
  /** The DNS name of the domain. */
  domain: string;
  /** Whether this agent says that it can make accounts in the domain. No agent does yet. */
  makesAccounts: boolean;
}

/** What decides which accounts a login at a computer may be for. */
export interface DomainLoginFacts {
  mode: DomainLoginMode;
  /** The DNS name of the domain that the computer is in; null outside of any. */
  domain: string | null;
  adminGroups: readonly string[];
  /** The agents on domain controllers in the computer's tenant, of whichever domain. */
  controllers: readonly DomainController[];
}

/** Whether accounts of one kind are possible now; if not, why and what to do, for people. */
export type Possibility = { possible: true } | { possible: false; why: string };
export type AccountKinds = Readonly<Record<AccountKind, Possibility>>;

const possible: Possibility = { possible: true };

/** Which kinds of account a login at a computer may be for now, and why not the others. */
export function domainLoginFacts(facts: DomainLoginFacts): AccountKinds {
  const { mode, domain } = facts;
  if (domain === null) return { LOCAL: possible, DOMAIN: not('This computer is not in a domain.') };
  if (mode === 'LOCAL') {
    return { LOCAL: possible, DOMAIN: not(`The settings say local accounts on computers of ${domain} (domainLoginMode is LOCAL).`) };
  }
  const obstacle = domainAccountObstacle(domain, facts);
  return {
    LOCAL: mode === 'PROMPT' ? possible : not(`The settings say domain accounts on computers of ${domain} (domainLoginMode is DOMAIN).`),
    DOMAIN: obstacle === null ? possible : not(obstacle),
  };
}

/** The kinds that are possible, LOCAL first. */
export function offeredKinds(kinds: AccountKinds): AccountKind[] {
  return (['LOCAL', 'DOMAIN'] as const).filter((kind) => kinds[kind].possible);
}

/** Why nobody can log in here at all, in words; null while some kind is possible. */
export function loginObstacle(kinds: AccountKinds): string | null {
  if (offeredKinds(kinds).length > 0) return null;
  return kinds.DOMAIN.possible ? null : kinds.DOMAIN.why;
}

/** Why no account can be made in the domain now, and what to do; null when one can. */
export function domainAccountObstacle(domain: string, facts: Pick<DomainLoginFacts, 'adminGroups' | 'controllers'>): string | null {
  const here = facts.controllers.filter((controller) => controller.domain === domain);
  if (here.length === 0) return agentMissing(domain);
  if (facts.adminGroups.length === 0) return groupsMissing;
  if (!here.some((controller) => controller.makesAccounts)) {
    return `The agent on the domain controller of ${domain} cannot make domain accounts yet. Until it can, set domainLoginMode to LOCAL or PROMPT and use local accounts.`;
  }
  return null;
}

/** In words: no agent on a domain controller. `domain` null: of whichever domain. */
export function agentMissing(domain: string | null): string {
  const where = domain === null ? 'a domain controller' : `a domain controller of ${domain}`;
  return `No agent on ${where} is enrolled, or none any more. Enrol one there, or set domainLoginMode to LOCAL.`;
}

/** In words: domain accounts would be in no group. */
export const groupsMissing =
  'No group is named that makes a domain account an administrator. Name one in domainAdminGroups first: a group with just the rights that are needed is better than Domain Admins.';

function not(why: string): Possibility {
  return { possible: false, why };
}
