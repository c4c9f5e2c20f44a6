import { lapsSealing, sealTo, type LapsPasswordPolicy } from '@stint/crypto';
import type { Logger } from '@stint/host';
import { newId } from '@stint/kernel';
import { NetworkError, StintError } from '@stint/sdk';
import { Refused } from '../control-plane/control-plane.ts';
import { secondsBetween } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import type { LapsAccountRef, LapsDriver, LapsFinding, SeenLapsAccount } from './laps-driver.ts';
import { newRecord, type LapsJournal, type LapsRecord } from './laps-journal.ts';
import { alarmOf, planLaps, type LapsStep } from './laps-plan.domain.ts';
import type { DesiredLapsAccount, LapsServer, LapsState } from './laps-server.ts';

const longestWay = 8;
/** After this a password that the system would not take gives way to a new one. */
const newCandidateAfterSeconds = 3600;
/** A finding is told again while it waits for a yes, so that what uses the account is not old news. */
const findingEverySeconds = 3600;

export interface LapsKeeperOptions {
  server: LapsServer;
  driver: LapsDriver;
  journal: LapsJournal;
  clock: DeviceClock;
  log: Logger;
  generatePassword: (policy: LapsPasswordPolicy) => string;
}

/**
 * Keeps the break-glass accounts of this computer: escrow, set, confirm. Every password is with the vault before it is set,
 * and each step is written down before it is taken, so that it goes on wherever it was cut short.
 */
export class LapsKeeper {
  readonly #o: LapsKeeperOptions;
  /** The revision after which nothing was left to do; null: ask for everything. */
  #settledAt: number | null = null;
  /** Per account the incident that the vault has heard of. */
  readonly #alarmed = new Map<string, string>();

  constructor(options: LapsKeeperOptions) {
    this.#o = options;
  }

  /** Asks the vault and brings every account to where it must be. False: something is left to be tried again. */
  async run(): Promise<boolean> {
    // What a step changes at the vault, it tells with the next answer.
    for (let rounds = 0; rounds < longestWay; rounds++) {
      const state = await this.#o.server.state(this.#settledAt);
      if (state.accounts === null) return true;
      this.#settledAt = null;
      let left = false;
      let isStale = false;
      for (const desired of state.accounts) {
        const outcome = await this.#keep(state, desired).catch((error: unknown) => this.#failed(desired, error));
        left ||= outcome === 'LEFT';
        isStale ||= outcome === 'ASK_AGAIN';
      }
      if (left) return false;
      if (!isStale) {
        this.#settledAt = state.revision;
        return true;
      }
    }
    return false;
  }

  /** One account, step by step until nothing is left to do or the vault must be asked first. */
  async #keep(state: LapsState, desired: DesiredLapsAccount): Promise<'DONE' | 'ASK_AGAIN' | 'LEFT'> {
    for (let steps = 0; steps < longestWay; steps++) {
      const record = this.#o.journal.record(desired.id);
      const seen: SeenLapsAccount =
        desired.kind === 'LOCAL' ? await this.#o.driver.see(ref(desired, record), desired.enabled) : { is: 'ABSENT' };
      const step = planLaps({ desired, seen, record, alarmed: this.#alarmed.get(desired.id) });
      switch (step.do) {
        case 'NOTHING':
          await this.#tell(desired, { problem: null, finding: null });
          return 'DONE';
        case 'TELL':
          await this.#tell(desired, step);
          return 'DONE';
        case 'ALARM':
          await this.#alarm(desired, step);
          return 'ASK_AGAIN';
        case 'TAKE_OVER':
          await this.#o.driver.takeOver(ref(desired, record));
          this.#o.log.info({ account: desired.name }, 'Account taken over as break-glass account.');
          break;
        case 'SETTLE':
          return this.#settle(desired);
        case 'ROTATE':
          if (state.vaultKey === null) return 'ASK_AGAIN';
          await this.#begin(state.tenantId, state.vaultKey, desired);
          break;
        case 'ARRANGE':
          await this.#o.driver.arrange(ref(desired, record), desired.enabled);
          this.#o.log.info({ account: desired.name, enabled: desired.enabled }, 'Break-glass account put in order.');
          break;
      }
    }
    return 'LEFT';
  }

  /** Makes a password and writes it down. From here on `#settle` brings it to its end. */
  async #begin(tenantId: string, vaultKey: NonNullable<LapsState['vaultKey']>, desired: DesiredLapsAccount): Promise<void> {
    const { journal, clock, generatePassword } = this.#o;
    const versionId = newId();
    const password = generatePassword(desired.policy);
    const { info, aad } = lapsSealing.escrow;
    const place = aad(tenantId, desired.id, versionId);
    const forVault = await sealTo({ publicKey: vaultKey.publicKey, info, aad: place }, Buffer.from(password));
    const open = {
      ...{ versionId, fence: desired.fence, keyId: vaultKey.id, forVault, forUs: await journal.wrap(versionId, password) },
      ...{ escrowed: false, policy: JSON.stringify(desired.policy), since: clock.read() },
    };
    journal.write(desired.id, { ...(journal.record(desired.id) ?? newRecord(desired.name)), open });
  }

  /** Escrows the open password, sets it, reads it back and confirms it; goes on where it was cut short. */
  async #settle(desired: DesiredLapsAccount): Promise<'ASK_AGAIN'> {
    const { server, driver, journal, log } = this.#o;
    const record = journal.record(desired.id);
    if (!record?.open) return 'ASK_AGAIN';
    const { open } = record;
    const password = await journal.unwrap(open).catch(() => null);
    // The key of this computer is another one: the vault has the password, we do not. It is told and changed.
    if (password === null) return this.#drop(desired, record);
    const mayBeSet = open.escrowed && (await driver.verifyPassword(desired.name, password)) === true;
    if (!mayBeSet) {
      if (open.escrowed && this.#isOutdated(desired, open)) return this.#drop(desired, record);
      // Each time, right before it is set: a computer that was set back to a snapshot hears here that it is late.
      const { versionId, fence, keyId, forVault } = open;
      const answer = await server.escrow({ accountId: desired.id, versionId, fence, keyId, sealed: forVault }).catch((error: unknown) => {
        if (error instanceof Refused && !open.escrowed) this.#drop(desired, record);
        throw error;
      });
      if (answer === 'STALE') return this.#drop(desired, record);
      if (!open.escrowed) journal.write(desired.id, { ...record, open: { ...open, escrowed: true } });
      await this.#set(desired, password);
    }
    const seen = await driver.see(ref(desired, record), desired.enabled);
    if (seen.is !== 'OURS') throw new Error(`${desired.name} was changed by somebody else in this moment.`);
    const held = { versionId: open.versionId, hashDigest: seen.hashDigest };
    const confirmed = await server.confirm(desired.id, open.versionId);
    // Late: the vault has a newer one and will hear that this one is on the computer.
    const told = confirmed === 'CONFIRMED' ? null : record.told;
    journal.write(desired.id, { name: desired.name, uid: seen.uid, held, open: null, told });
    if (confirmed === 'CONFIRMED') log.info({ account: desired.name, versionId: open.versionId }, 'Break-glass password changed.');
    return 'ASK_AGAIN';
  }

  async #set(desired: DesiredLapsAccount, password: string): Promise<void> {
    const { driver, journal } = this.#o;
    const account = ref(desired, journal.record(desired.id));
    if ((await driver.see(account, desired.enabled)).is === 'ABSENT') await driver.make(account);
    const seen = await driver.see(account, desired.enabled);
    if (seen.is !== 'OURS') throw new Error(`${desired.name} is not ours any more. Nothing was set.`);
    await driver.setPassword(desired.name, password);
    if ((await driver.verifyPassword(desired.name, password)) === false)
      throw new Error(`The password of ${desired.name} that the system stored is not the one that was set.`);
  }

  /** Lets go of an open password; the vault keeps it as one that may be right. */
  #drop(desired: DesiredLapsAccount, record: LapsRecord): 'ASK_AGAIN' {
    this.#o.journal.write(desired.id, { ...record, open: null });
    return 'ASK_AGAIN';
  }

  #isOutdated(desired: DesiredLapsAccount, open: NonNullable<LapsRecord['open']>): boolean {
    const isOld = secondsBetween(open.since, this.#o.clock.read()) >= newCandidateAfterSeconds;
    return isOld || open.policy !== JSON.stringify(desired.policy);
  }

  async #alarm(desired: DesiredLapsAccount, step: Extract<LapsStep, { do: 'ALARM' }>): Promise<void> {
    const { incident, versionId } = step;
    this.#o.log.warn(
      { account: desired.name, versionId },
      incident === 'TAMPERED'
        ? 'The password of a break-glass account was changed by somebody else.'
        : 'This computer is at an earlier state than the vault.',
    );
    await this.#o.server.report({ accountId: desired.id, problem: null, finding: null, incident, versionId });
    this.#alarmed.set(desired.id, alarmOf(step));
  }

  /** Tells what keeps the account from being kept, or that nothing does any more; only when it is news. */
  async #tell(desired: DesiredLapsAccount, { problem, finding }: { problem: string | null; finding: LapsFinding | null }): Promise<void> {
    const { journal, server, clock } = this.#o;
    const record = journal.record(desired.id) ?? newRecord(desired.name);
    const hour = Math.floor(clock.read().wallMs / 1000 / findingEverySeconds);
    const told = finding ? `found ${finding.digest} ${hour}` : problem;
    if (told === record.told) return;
    await server.report({ accountId: desired.id, problem, finding, incident: null, versionId: record.held?.versionId ?? null });
    journal.write(desired.id, { ...record, told });
    if (told !== null) this.#o.log.warn({ account: desired.name, problem }, 'A break-glass account cannot be kept.');
  }

  /** The system or the vault refused: told, and tried again later. A server that cannot be reached is for the caller. */
  async #failed(desired: DesiredLapsAccount, error: unknown): Promise<'LEFT'> {
    if (error instanceof NetworkError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    this.#o.log.error({ account: desired.name, detail }, 'A break-glass account could not be kept. Trying again.');
    // What the vault itself stumbles over or refuses, it knows.
    if (!(error instanceof StintError) && !(error instanceof Refused)) await this.#tell(desired, { problem: detail, finding: null });
    return 'LEFT';
  }
}

function ref({ id, name }: DesiredLapsAccount, record: LapsRecord | undefined): LapsAccountRef {
  // Under another name it is another account.
  return { id, name, uid: record?.name === name && record.uid >= 0 ? record.uid : null };
}
