import type { Logger } from '@stint/host';
import { newId } from '@stint/kernel';
import { Refused, type ControlPlane, type LoginMethod, type StartedLogin } from '../control-plane/control-plane.ts';
import { remainingMs, secondsBetween } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import { findProcess, isRunning, signalProcess } from '../processes/process-ref.ts';
import type { EndReason, LocalLogin } from '../state/agent-state.ts';
import type { HeldGrant, Memory } from '../state/memory.ts';
import type { OfflineDesk } from './offline-desk.ts';
import type { AgentEvent, TerminalRequest } from './protocol.ts';
import type { LineConnection } from './socket.ts';

/** A login that nobody could ask the server about is given up this long after its end. */
const graceSeconds = 30;

export interface LoginDeskOptions {
  control: ControlPlane;
  memory: Memory;
  clock: DeviceClock;
  log: Logger;
  root: string | null;
  offline: OfflineDesk;
  /** Something may have changed at the server: check in now. */
  checkIn(): void;
  /** There is a new login: call `watch` from now on every second. */
  watch(): void;
  end(held: HeldGrant, reason: EndReason): Promise<void>;
  idleSeconds(grant: HeldGrant['grant']): number | null;
}

type Terminal = LineConnection<AgentEvent>;

/** Serves the terminals of this computer: starts logins, tells how they go, and ends access when a session or its terminal ends. */
export class LoginDesk {
  readonly #o: LoginDeskOptions;
  readonly #terminals = new Map<string, Terminal>();

  constructor(options: LoginDeskOptions) {
    this.#o = options;
  }

  /** Handles what one terminal sends. */
  visitor(terminal: Terminal): { message(request: TerminalRequest): void; closed(): void } {
    let id: string | null = null;
    const handle = async (request: TerminalRequest) => {
      switch (request.op) {
        case 'login':
          id = await this.#start(request, terminal);
          return;
        case 'attach':
          id = request.id;
          this.#attach(request.id, terminal);
          return;
        case 'code':
          if (id !== null) await this.#code(id, request, terminal);
          return;
        case 'reason':
          if (id !== null) this.#o.offline.reason(id, request, (event) => terminal.send(event));
          return;
        case 'cancel':
          if (id !== null) await this.#giveUp(id);
          terminal.send({ event: 'failed', state: 'CANCELLED', message: 'The login was cancelled.' });
          return;
        case 'session':
          if (id !== null) await this.#opened(id, request.pid);
          return;
        case 'logoff':
          await this.#logOff(request.account, id, terminal);
          return;
        case 'status':
          terminal.send(this.#status());
          return;
      }
    };
    let work: Promise<void> = Promise.resolve();
    return {
      message: (request) => {
        work = work.then(() => handle(request)).catch((error: unknown) => this.#failed(error, terminal));
      },
      closed: () => {
        if (id !== null && this.#terminals.get(id) === terminal) this.#terminals.delete(id);
      },
    };
  }

  /** The account of a login became active. */
  activated(held: HeldGrant, passwordVerified: boolean | null): void {
    this.#tell(held, passwordVerified);
  }

  /** A grant is over (or could not begin), and nothing of its session is left: tells the terminal. */
  ended(held: HeldGrant): void {
    const id = held.grant.loginRequestId;
    if (id === null || !this.#o.memory.state.logins[id]) return;
    this.#tell(held, null);
    this.#drop(id);
  }

  /** A grant ends soon. */
  warned({ grant }: HeldGrant, secondsLeft: number, message: string): void {
    if (grant.loginRequestId !== null) this.#terminals.get(grant.loginRequestId)?.send({ event: 'warning', secondsLeft, message });
  }

  /** Looks after all logins: what the server says of those that wait, and whether terminals and sessions still run. Called every second while there are any. */
  async watch(): Promise<void> {
    for (const login of Object.values(this.#o.memory.state.logins)) await this.#look(login);
  }

  async #look(login: LocalLogin): Promise<void> {
    const { memory, end } = this.#o;
    const held = memory.grantOfLogin(login.id);
    if (held?.grant.phase === 'ENDED' || held?.grant.phase === 'FAILED') return this.ended(held);
    const isThere = login.sessions.length > 0 ? login.sessions.some(isRunning) : login.detached || isRunning(login.terminal);
    if (held?.grant.phase === 'ACTIVE') {
      if (!isThere) await end(held, 'LOGGED_OFF');
      return;
    }
    if (held) return;
    const age = secondsBetween(login.startedAt, this.#o.clock.read());
    const lifetime = Math.max(0, (login.expiresAtMs - login.startedAt.wallMs) / 1000);
    // Asking for what is over anyway: the server may have been out of reach all the time.
    if (age > lifetime + graceSeconds)
      return this.#over(login.id, 'EXPIRED', 'Nobody approved the login in time, or the server could not be reached.');
    if (!isRunning(login.terminal)) return this.#giveUp(login.id);
    if (login.method !== 'OFFLINE') await this.#ask(login.id);
  }

  async #ask(id: string): Promise<void> {
    const answer = await this.#o.control.loginState(id).catch(() => undefined);
    const login = this.#o.memory.state.logins[id];
    if (answer === undefined || !login) return;
    if (answer === null) return this.#over(id, 'FAILED', 'The server does not know this login any more.');
    switch (answer.state) {
      case 'PENDING':
        return;
      case 'AWAITING_APPROVAL':
        // Other people may take longer than a technician with a phone in hand.
        if (login.expiresAtMs !== answer.expiresAtMs)
          this.#o.memory.change((state) => void Object.assign(state.logins[id] ?? {}, { expiresAtMs: answer.expiresAtMs }));
        return;
      case 'APPROVED':
      case 'ACTIVE':
        return this.#o.checkIn();
      case 'DENIED':
        return this.#over(id, 'DENIED', 'The login was denied.');
      case 'EXPIRED':
        return this.#over(id, 'EXPIRED', 'Nobody approved the login in time.');
      case 'ENDED':
        return this.#over(id, 'FAILED', 'The access has ended already.');
      case 'FAILED':
        return this.#over(id, 'FAILED', answer.failure ?? 'The login failed.');
    }
  }

  async #start(request: Extract<TerminalRequest, { op: 'login' }>, terminal: Terminal): Promise<string> {
    const { memory, clock, log, watch } = this.#o;
    const process = findProcess(request.pid);
    if (!process) throw new Refused('The terminal that asks is not running.');
    const id = newId();
    const started = request.method === 'OFFLINE' ? null : await this.#startAtServer(id, request.method, request.email);
    if (started === null || request.method === 'OFFLINE') {
      this.#terminals.set(id, terminal);
      this.#o.offline.start(id, process, request.detached, (event) => terminal.send(event));
      watch();
      return id;
    }
    const { wallMs } = clock.read();
    // Written before the code is shown: after a crash the agent still knows whose terminal to watch.
    const login: LocalLogin = {
      id,
      method: request.method,
      expiresAtMs: started.expiresAtMs,
      startedAt: clock.read(),
      terminal: process,
      sessions: [],
      detached: request.detached,
    };
    memory.change((state) => void (state.logins[id] = login));
    this.#terminals.set(id, terminal);
    log.info({ loginRequestId: id, method: request.method }, 'Login started.');
    const { tenantName, shownNumber, qrPayload } = started;
    const secondsLeft = Math.max(0, Math.round((started.expiresAtMs - wallMs) / 1000));
    terminal.send({ event: 'started', id, method: request.method, tenantName, shownNumber, qrPayload, secondsLeft });
    watch();
    return id;
  }

  /** Null when the server cannot be reached and this computer may decide by itself. */
  async #startAtServer(id: string, method: LoginMethod, email?: string): Promise<StartedLogin | null> {
    try {
      return await this.#o.control.startLogin(id, method, email);
    } catch (error) {
      if (error instanceof Refused || !this.#o.offline.isPrepared) throw error;
      this.#o.log.warn({ detail: error instanceof Error ? error.message : String(error) }, 'Logging in without the server.');
      return null;
    }
  }

  #attach(id: string, terminal: Terminal): void {
    const held = this.#o.memory.grantOfLogin(id);
    if (!this.#o.memory.state.logins[id] && !held)
      return void terminal.send({ event: 'failed', state: 'FAILED', message: 'The agent does not know this login any more.' });
    this.#terminals.set(id, terminal);
    terminal.send({ event: 'attached' });
    if (held) this.#tell(held, null);
  }

  async #code(id: string, request: Extract<TerminalRequest, { op: 'code' }>, terminal: Terminal): Promise<void> {
    if (this.#o.memory.state.logins[id]?.method === 'OFFLINE') return this.#o.offline.code(id, request, (event) => terminal.send(event));
    const answer = await this.#o.control.submitCode(id, request.email, request.code.trim());
    if (!answer.accepted) return terminal.send({ event: 'code-refused', message: answer.message, retryAt: answer.retryAt });
    terminal.send({ event: 'code-accepted' });
    this.#o.checkIn();
  }

  async #opened(id: string, pid: number): Promise<void> {
    const { memory, end } = this.#o;
    const session = findProcess(pid);
    const held = memory.grantOfLogin(id);
    const login = memory.state.logins[id];
    // The access ended while the session was being opened.
    if (session && !login) return signalProcess(session, 'SIGKILL');
    if (session) return memory.change((state) => void state.logins[id]?.sessions.push(session));
    if (held && login && !login.sessions.some(isRunning)) await end(held, 'LOGGED_OFF');
  }

  /** The terminal is gone or gave up. What was approved in the meantime is ended as soon as it is there. */
  async #giveUp(id: string): Promise<void> {
    const { control, memory, end, log } = this.#o;
    const held = memory.grantOfLogin(id);
    if (held) return end(held, 'LOGGED_OFF');
    if (memory.state.logins[id]?.method === 'OFFLINE') return this.#drop(id);
    const cancelled = await control.cancelLogin(id).catch(() => undefined);
    if (cancelled === undefined) return;
    if (!cancelled) {
      // Approved at the same moment: the session ends as soon as it is there, also one that nobody would have waited for.
      return memory.change((state) => void (state.logins[id] && (state.logins[id].detached = false)));
    }
    log.info({ loginRequestId: id }, 'Login cancelled.');
    this.#drop(id);
  }

  /** A terminal ends its own login's access; one without a login everything that runs for the account. */
  async #logOff(account: string, id: string | null, terminal: Terminal): Promise<void> {
    const running = this.#o.memory.grants().filter(({ grant, account: { name, accountId } }) => {
      return grant.phase === 'ACTIVE' && (name === account || accountId === account) && (id === null || grant.loginRequestId === id);
    });
    // Ended from elsewhere at the same moment: what its terminal asks for is done.
    if (running.length === 0 && id === null) throw new Refused(`No session of ${account} is running here.`);
    for (const held of running) await this.#o.end(held, 'LOGGED_OFF');
    terminal.send({ event: 'done' });
  }

  #status(): AgentEvent {
    const { state } = this.#o.memory;
    const now = this.#o.clock.read();
    const accounts = this.#o.memory.grants().map(({ account: { accountId, name }, grant }) => ({
      accountId,
      name,
      phase: grant.phase,
      grantId: grant.grantId,
      secondsLeft: grant.deadline && grant.phase === 'ACTIVE' ? Math.max(0, Math.floor(remainingMs(grant.deadline, now) / 1000)) : null,
      idleSeconds: this.#o.idleSeconds(grant),
    }));
    return { event: 'status', revision: state.desired?.revision ?? null, reportsWaiting: state.reports.length, accounts };
  }

  #tell({ account, grant }: HeldGrant, passwordVerified: boolean | null): void {
    const id = grant.loginRequestId;
    const terminal = id === null ? undefined : this.#terminals.get(id);
    if (id === null || !terminal) return;
    if (grant.phase === 'FAILED')
      return terminal.send({ event: 'failed', state: 'FAILED', message: grant.detail ?? 'The account could not be made.' });
    if (grant.phase === 'ENDED') return terminal.send({ event: 'ended', reason: grant.endReason });
    if (grant.phase !== 'ACTIVE' || account.name === null || account.uid === null) return;
    const { accountId, name, uid } = account;
    const { grantId, deadline } = grant;
    const secondsLeft = deadline === null ? 0 : Math.max(0, Math.floor(remainingMs(deadline, this.#o.clock.read()) / 1000));
    const { root } = this.#o;
    terminal.send({ event: 'active', loginRequestId: id, accountId, grantId, account: name, uid, secondsLeft, passwordVerified, root });
  }

  #over(id: string, state: 'DENIED' | 'EXPIRED' | 'FAILED', message: string): void {
    this.#terminals.get(id)?.send({ event: 'failed', state, message });
    this.#drop(id);
  }

  #drop(id: string): void {
    this.#terminals.delete(id);
    if (this.#o.memory.state.logins[id]) this.#o.memory.change((state) => void delete state.logins[id]);
  }

  #failed(error: unknown, terminal: Terminal): void {
    if (error instanceof Refused) return terminal.send({ event: 'failed', state: 'REFUSED', message: error.message });
    this.#o.log.warn({ detail: error instanceof Error ? error.message : String(error) }, 'A terminal could not be served.');
    terminal.send({ event: 'failed', state: 'FAILED', message: 'The server cannot be reached. Check the network and try again.' });
  }
}
