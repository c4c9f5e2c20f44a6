import { offlineTotpInfo, offlineTotpPlace, openSealed, type HpkeKeyPair } from '@stint/crypto';
import type { Logger } from '@stint/host';
import { newId } from '@stint/kernel';
import { mayActivate } from '../deadline/deadline.domain.ts';
import type { DeviceClock, Reading } from '../deadline/device-clock.ts';
import { judgeCode, type CodeVerdict } from './offline-code.ts';
import {
  afterFailure,
  afterSuccess,
  failuresUntilWiped,
  freeFailures,
  freeFailuresOfDevice,
  isSetBack,
  lockedForMs,
  noTries,
  type OfflineGuard,
} from './offline-guard.domain.ts';
import type { OfflineAccess, OfflineLock, OfflineState, OfflineStore, PreparedAccess } from './offline-store.ts';

const unknown = '';
/** How often the clock is looked at, so that it can be told when it was set back over a reboot. */
const clockLookMs = 300_000;

/** What became of an email address and a code. */
export type OfflineAnswer = { access: OfflineAccess } | { refused: string; retrySeconds: number | null };

export interface OfflineCheckerOptions {
  store: OfflineStore;
  keys: HpkeKeyPair;
  deviceId: string;
  clock: DeviceClock;
  log: Logger;
}

/** Checks codes where the server cannot be asked. What a try leaves behind is on disk before anybody hears its outcome. */
export class OfflineChecker {
  readonly #o: OfflineCheckerOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: OfflineCheckerOptions) {
    this.#o = options;
  }

  /** Locks of which the server has not heard yet. */
  get locks(): readonly OfflineLock[] {
    return this.#o.store.state.locks;
  }

  /** The server knows of these locks. */
  told(ids: ReadonlySet<string>): void {
    this.#o.store.change((state) => void (state.locks = state.locks.filter(({ id }) => !ids.has(id))));
  }

  /** Whether anybody could log in without the server. */
  get isPrepared(): boolean {
    return this.#o.store.state.access.some(({ secret }) => secret !== null);
  }

  /** The accounts that offline logins may use. */
  get accountIds(): string[] {
    return this.#o.store.state.access.map(({ accountId }) => accountId);
  }

  /** Takes what the server prepared, instead of all before it. Secrets that do not open are left out, with a line in the log. */
  prepare(list: readonly PreparedAccess[]): Promise<void> {
    return this.#alone(async () => {
      const { store, keys, deviceId, clock, log } = this.#o;
      const access: OfflineState['access'] = [];
      for (const { sealedSecret, ...entry } of list) {
        const { technicianId } = entry;
        try {
          const secret = await openSealed(
            { privateKey: keys.privateKey, info: offlineTotpInfo, aad: offlineTotpPlace(deviceId, technicianId) },
            sealedSecret,
          );
          access.push({ ...entry, secret: await store.wrap(technicianId, secret) });
          secret.fill(0);
        } catch {
          log.error(
            { technicianId },
            'The secret of an offline login could not be opened. Offline login is not prepared for this technician.',
          );
        }
      }
      const now = clock.read();
      store.change((state) => {
        state.access = access;
        state.receivedAt = now;
        state.clock = now;
        // A secret that was wiped and prepared anew starts a new row of tries; what is still locked stays locked.
        for (const { technicianId } of access) {
          const guard = state.guards[technicianId];
          if (guard && guard.failures >= failuresUntilWiped) guard.failures = freeFailures;
        }
      });
    });
  }

  /** The server was reached: its word counts for the time, too. */
  heard(): void {
    const now = this.#o.clock.read();
    const { clock } = this.#o.store.state;
    if (this.isPrepared && (clock === null || now.wallMs < clock.wallMs || this.#isOld(clock, now)))
      this.#o.store.change((state) => void (state.clock = now));
  }

  /** Notes, every few minutes, that the clock has come this far. */
  look(): void {
    const now = this.#o.clock.read();
    const { clock } = this.#o.store.state;
    if (this.isPrepared && clock && now.wallMs > clock.wallMs && this.#isOld(clock, now) && !isSetBack(clock, now))
      this.#o.store.change((state) => void (state.clock = now));
  }

  /** One try at a time, whoever makes it. */
  check(email: string, code: string): Promise<OfflineAnswer> {
    return this.#alone(() => this.#check(email, code));
  }

  async #check(email: string, code: string): Promise<OfflineAnswer> {
    const { store, clock, log } = this.#o;
    const address = email.trim().toLowerCase();
    const entry = store.state.access.find((access) => access.email.toLowerCase() === address);
    const seed = entry?.secret ? await store.unwrap(entry.technicianId, entry.secret).catch(() => null) : null;
    const now = clock.read();
    const { state } = store;
    const id = entry?.technicianId ?? unknown;
    const guard = state.guards[id] ?? noTries;
    const waitMs = Math.max(lockedForMs(guard, now), lockedForMs(state.device, now));
    if (waitMs > 0) return refusal(`Too many wrong codes. Try again in ${duration(waitMs)}.`, Math.ceil(waitMs / 1000));
    if (isSetBack(state.clock, now))
      return refusal(
        `This computer's clock stands before a time that it has passed already (it shows ${timeOf(now)}). Set it right, or connect to the network once.`,
      );
    const verdict: CodeVerdict = entry && seed ? judgeCode(seed, code, now.wallMs, guard.lastStep) : { is: 'WRONG' };
    seed?.fill(0);
    if (verdict.is === 'RIGHT' && entry) {
      // On disk before anything comes of it: this step is used, also if the power goes now.
      store.change((next) => {
        next.guards[id] = afterSuccess(guard, verdict.step);
        next.device = { ...noTries };
        if (now.wallMs > (next.clock?.wallMs ?? 0)) next.clock = now;
      });
      if (!mayActivate(entry.validUntilMs, state.receivedAt ?? now, now))
        return refusal('Your offline access to this computer has run out. It is prepared anew when the computer is online.');
      const { secret: _, ...access } = entry;
      log.info({ technicianId: id }, 'A code was right without the server.');
      return { access };
    }
    const after = afterFailure(guard, freeFailures, now);
    const isWiped = entry?.secret != null && after.failures >= failuresUntilWiped;
    const afterAll = afterFailure(state.device, freeFailuresOfDevice, now);
    store.change((next) => {
      next.guards[id] = after;
      next.device = afterAll;
      if (after.lock ?? afterAll.lock)
        next.locks = withLock(next.locks, after.lock && entry ? id : null, after.lock ? after : afterAll, now);
      for (const access of next.access) if (isWiped && access.technicianId === id) access.secret = null;
    });
    log.warn({ technicianId: entry ? id : null, failures: after.failures, isWiped }, 'A code was refused without the server.');
    return refusal(wordsFor(verdict, now));
  }

  #isOld(clock: Reading, now: Reading): boolean {
    return clock.bootId !== now.bootId || now.wallMs - clock.wallMs >= clockLookMs;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

export { offlineTotpInfo as offlineSecretInfo, offlineTotpPlace as offlineSecretAad } from '@stint/crypto';

/** With a lock's newest state instead of the one before it, under an id of its own: the server may have heard of that one. */
function withLock(locks: readonly OfflineLock[], technicianId: string | null, { failures }: OfflineGuard, at: Reading): OfflineLock[] {
  return [...locks.filter((lock) => lock.technicianId !== technicianId), { id: newId(), technicianId, failures, at }];
}

function refusal(refused: string, retrySeconds: number | null = null): OfflineAnswer {
  return { refused, retrySeconds };
}

function wordsFor(verdict: CodeVerdict, now: Reading): string {
  switch (verdict.is) {
    case 'USED':
      return 'This code was used already. Wait for the next one.';
    case 'CLOCK_OFF': {
      const seconds = Math.abs(verdict.aheadSeconds);
      const where = verdict.aheadSeconds > 0 ? 'ahead of' : 'behind';
      return `The clocks differ: this computer's (${timeOf(now)}) is about ${seconds} s ${where} the phone's. Set the wrong one right and try again.`;
    }
    default:
      return 'The email address or the code is wrong, or offline login is not prepared here for you.';
  }
}

function timeOf(now: Reading): string {
  return `${new Date(now.wallMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function duration(ms: number): string {
  return ms > 90_000 ? `${Math.ceil(ms / 60_000)} minutes` : `${Math.ceil(ms / 1000)} seconds`;
}
