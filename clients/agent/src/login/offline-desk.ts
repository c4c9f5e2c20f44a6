import type { Logger } from '@stint/host';
import { newId } from '@stint/kernel';
import { startDeadline } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import { newRecord } from '../desired-state/account-report.domain.ts';
import type { OfflineChecker } from '../offline/offline-checker.ts';
import type { OfflineAccess } from '../offline/offline-store.ts';
import type { ProcessRef } from '../processes/process-ref.ts';
import type { LocalLogin } from '../state/agent-state.ts';
import type { Memory } from '../state/memory.ts';
import type { AgentEvent, TerminalRequest } from './protocol.ts';

/** How long a terminal may take from its start to a right code. */
const patienceMs = 600_000;

export interface OfflineDeskOptions {
  checker: OfflineChecker;
  /** The address at which the technician's phone makes the code for this computer, without network too. */
  codePage: string;
  memory: Memory;
  clock: DeviceClock;
  log: Logger;
  /** Makes the new grant real. */
  begin(): void;
}

type Send = (event: AgentEvent) => void;

/** Logins that this computer decides by itself, because the server cannot be asked or the technician chose so. */
export class OfflineDesk {
  readonly #o: OfflineDeskOptions;
  /** Logins whose code was right and that still owe a reason or ticket. */
  readonly #admitted = new Map<string, OfflineAccess>();

  constructor(options: OfflineDeskOptions) {
    this.#o = options;
  }

  get isPrepared(): boolean {
    return this.#o.checker.isPrepared;
  }

  /** Shows the terminal what to scan, and asks for a code. */
  start(id: string, terminal: ProcessRef, detached: boolean, send: Send): void {
    const { memory, clock, codePage } = this.#o;
    const now = clock.read();
    const login: LocalLogin = {
      id,
      method: 'OFFLINE',
      expiresAtMs: now.wallMs + patienceMs,
      startedAt: now,
      terminal,
      sessions: [],
      detached,
    };
    memory.change((state) => void (state.logins[id] = login));
    send({ event: 'offline', id, qrPayload: codePage, computerTime: new Date(now.wallMs).toISOString() });
  }

  /** A code was typed. */
  async code(id: string, { email, code }: Extract<TerminalRequest, { op: 'code' }>, send: Send): Promise<void> {
    if (this.#isTaken(id)) return;
    const answer = await this.#o.checker.check(email, code);
    if ('refused' in answer) {
      const { retrySeconds } = answer;
      const retryAt = retrySeconds === null ? null : new Date(this.#o.clock.read().wallMs + retrySeconds * 1000).toISOString();
      return send({ event: 'code-refused', message: answer.refused, retryAt });
    }
    const { requireReason, requireTicket } = answer.access;
    this.#admitted.set(id, answer.access);
    if (requireReason || requireTicket) return send({ event: 'reason-wanted', reason: requireReason, ticket: requireTicket });
    send({ event: 'code-accepted' });
    this.#admit(id, null, null);
  }

  /** What the technician says why. */
  reason(id: string, { reason, ticket }: Extract<TerminalRequest, { op: 'reason' }>, send: Send): void {
    const access = this.#admitted.get(id);
    if (!access) return;
    if ((access.requireReason && !reason) || (access.requireTicket && !ticket))
      return send({ event: 'reason-wanted', reason: access.requireReason, ticket: access.requireTicket });
    send({ event: 'code-accepted' });
    this.#admit(id, reason, ticket);
  }

  /** The grant and what the server must hear of it are on disk before the account is touched. */
  #admit(id: string, reason: string | null, ticket: string | null): void {
    const { memory, clock, log, begin } = this.#o;
    const access = this.#admitted.get(id);
    this.#admitted.delete(id);
    if (!access || this.#isTaken(id)) return;
    const { technicianId, accountId, accountName, displayName, sessionSeconds, idleEndSeconds } = access;
    const at = clock.read();
    const grantId = newId();
    // Nobody told an end; by the clock it counts too, or a virtual machine that was paused would go on where it was.
    const bounds = { sessionSeconds, expiresAtMs: at.wallMs + sessionSeconds * 1000 };
    memory.change((state) => {
      const account = (state.records[accountId] ??= newRecord(accountId));
      account.wanted = { name: accountName, displayName };
      account.grants[grantId] = {
        grantId,
        loginRequestId: id,
        phase: 'ENABLING',
        since: at,
        deadline: startDeadline({ ...bounds, revision: state.desired?.revision ?? 0 }, at),
        endReason: null,
        detail: null,
        offline: { technicianId, reportedAtRevision: null },
        idleEndSeconds,
        warnSeconds: 300,
        privilegedBefore: null,
        privileged: null,
      };
      state.offlineLogins.push({ id, technicianId, accountId, grantId, at, sessionSeconds, reason, ticket });
    });
    log.info({ technicianId, grantId }, 'Logged in without the server.');
    begin();
  }

  /** One login, one grant. */
  #isTaken(id: string): boolean {
    return this.#o.memory.grantOfLogin(id) !== undefined || !this.#o.memory.state.logins[id];
  }
}
