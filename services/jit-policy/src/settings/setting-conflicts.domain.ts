import { invalidInput, Problem } from '@stint/kernel';
import { agentMissing, domainAccountObstacle, groupsMissing, type DomainController } from './domain-login.domain.ts';
import { apiName, type EffectiveSettings, type SettingChange, type SettingName } from './settings.domain.ts';

/** What a tenant's settings must go together with. */
export interface Surroundings {
  /** The MSP's values are defaults for its customers: what they need is looked at where they take effect. */
  isMsp: boolean;
  controllers: readonly DomainController[];
  /** The domains that computers of the tenant are in. */
  domains: readonly string[];
}

/** Why a value cannot take effect here although it is right by itself, in words, by setting. */
export type SettingProblems = { [Name in SettingName]?: string };

/** With fewer bits, whoever gets hold of the stored hash may find the password by trying. */
const strongBits = 64;

const lapsNames = ['lapsLocalAccountName', 'lapsDomainAccountName'] as const;

/** What does not go together among the values that hold, for whoever reads them; `passwordBits` is the entropy of passwords that they make. */
export function settingProblems(effective: EffectiveSettings, surroundings: Surroundings, passwordBits: number): SettingProblems {
  const problems: SettingProblems = {};
  for (const name of lapsNames) {
    if (collides(effective, name)) problems[name] = collision(effective, name);
  }
  if (passwordBits < strongBits) {
    const name = effective.lapsPasswordStyle.value === 'CHARACTERS' ? 'lapsPasswordLength' : 'lapsPassphraseWords';
    problems[name] =
      `Such passwords have ${Math.floor(passwordBits)} bits: whoever gets hold of the hash may guess them. Make them longer: ${strongBits} bits are enough.`;
  }
  if (effective.domainLoginMode.value !== 'LOCAL' && !surroundings.isMsp) {
    const obstacle = domainObstacle(effective, surroundings);
    if (obstacle !== null) problems.domainLoginMode = obstacle;
  }
  return problems;
}

/** Refuses a change after which things would not go together. Problems `InvalidInput` and `DomainAgentMissing`. */
export function refuseConflicts(after: EffectiveSettings, changes: readonly SettingChange[], surroundings: Surroundings): void {
  const changed = new Set(changes.map((change) => change.name));
  for (const name of lapsNames) {
    const to = changed.has(name) ? name : 'accountNamePrefix';
    if (changed.has(to) && collides(after, name)) throw invalidInput(apiName(to), collision(after, name));
  }
  const { value: mode, source } = after.domainLoginMode;
  if (surroundings.isMsp || mode === 'LOCAL' || source !== 'OWN') return;
  if (changed.has('domainLoginMode') && surroundings.controllers.length === 0) {
    const domain = surroundings.domains.length === 1 ? (surroundings.domains[0] ?? null) : null;
    throw new Problem('DomainAgentMissing', agentMissing(domain), { domain });
  }
  if ((changed.has('domainLoginMode') || changed.has('domainAdminGroups')) && after.domainAdminGroups.value.length === 0) {
    throw invalidInput('domainAdminGroups', groupsMissing);
  }
}

// The names of LAPS accounts and of JIT accounts must never meet, in whichever case the system compares them.
function collides(effective: EffectiveSettings, name: (typeof lapsNames)[number]): boolean {
  return effective[name].value.toLowerCase().startsWith(effective.accountNamePrefix.value.toLowerCase());
}

function collision(effective: EffectiveSettings, name: (typeof lapsNames)[number]): string {
  const [account, prefix] = [effective[name].value, effective.accountNamePrefix.value];
  return `The LAPS account "${account}" must not begin with "${prefix}", as the names of JIT accounts do. Change ${apiName(name)} of LAPS or accountNamePrefix.`;
}

function domainObstacle(effective: EffectiveSettings, { controllers, domains }: Surroundings): string | null {
  const facts = { adminGroups: effective.domainAdminGroups.value, controllers };
  const concerned = new Set([...domains, ...controllers.map((controller) => controller.domain)]);
  if (concerned.size === 0) return agentMissing(null);
  return [...concerned].map((domain) => domainAccountObstacle(domain, facts)).find((obstacle) => obstacle !== null) ?? null;
}
