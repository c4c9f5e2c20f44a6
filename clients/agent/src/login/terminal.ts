import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { toString as qrText } from 'qrcode';
import { agentEvent, type AgentEvent, type TerminalRequest } from './protocol.ts';
import { openSession } from './session.ts';
import { connectToAgent, jsonLines, type LineConnection } from './socket.ts';

export interface TerminalOptions {
  stateFolder: string;
  method: 'QR' | 'TOTP' | 'PUSH' | 'OFFLINE';
  email?: string | undefined;
  /** Why, where an offline login is asked for it. */
  reason?: string | undefined;
  ticket?: string | undefined;
  /** Only tell what happened, as one line of JSON, instead of opening a session. */
  noSession: boolean;
  /** The kind of terminal (TERM), for the session. */
  terminal: string;
}

const reconnectMs = 300;
const reconnectTries = 200;

/** The terminal's side of a login: shows, asks, opens the session. Decides nothing. Resolves to the exit code. */
export async function loginAtTerminal(options: TerminalOptions): Promise<number> {
  return new TerminalLogin(options).run();
}

class TerminalLogin {
  readonly #o: TerminalOptions;
  readonly #finished = Promise.withResolvers<number>();
  #connection: LineConnection<TerminalRequest> | undefined;
  #input: Interface | undefined;
  #typed: AsyncIterator<string> | undefined;
  #id: string | undefined;
  #countdown: NodeJS.Timeout | undefined;
  #phase: 'waiting' | 'session' | 'over' = 'waiting';
  #endedBy: string | null = null;

  constructor(options: TerminalOptions) {
    this.#o = options;
  }

  async run(): Promise<number> {
    const socket = await connectToAgent(this.#o.stateFolder).catch(() => null);
    if (!socket) {
      this.#say(`No agent runs with the state folder ${this.#o.stateFolder}. Start it with: stint-agent run`);
      return 1;
    }
    this.#listen(socket);
    // A session handles Ctrl-C itself; a closed terminal ends this process only after the agent has been told.
    process.on('SIGINT', () => this.#interrupted());
    process.on('SIGTERM', () => this.#interrupted());
    process.on('SIGHUP', () => this.#interrupted());
    const email = this.#o.method === 'PUSH' ? (this.#o.email ?? (await this.#ask('Email: '))) : undefined;
    if (email === null) this.#interrupted();
    else this.#connection?.send({ op: 'login', method: this.#o.method, email, pid: process.pid, detached: this.#o.noSession });
    const code = await this.#finished.promise;
    this.#phase = 'over';
    clearInterval(this.#countdown);
    this.#input?.close();
    this.#connection?.close();
    return code;
  }

  #listen(socket: Socket): void {
    this.#connection = jsonLines<AgentEvent, TerminalRequest>(socket, agentEvent, {
      message: (event) => this.#on(event),
      closed: () => void this.#lost(),
    });
  }

  /** The agent went away (an update, a crash): it knows this login still, so wait for it. */
  async #lost(): Promise<void> {
    if (this.#phase === 'over') return;
    if (this.#id === undefined) return this.#finish(1, { state: 'FAILED', message: 'The agent ended.' });
    for (let attempt = 0; attempt < reconnectTries && this.#over !== true; attempt++) {
      await delay(reconnectMs);
      const socket = await connectToAgent(this.#o.stateFolder).catch(() => null);
      if (!socket) continue;
      this.#listen(socket);
      return this.#connection?.send({ op: 'attach', id: this.#id });
    }
    if (this.#phase === 'waiting') this.#finish(1, { state: 'FAILED', message: 'The agent does not come back.' });
  }

  get #over(): boolean {
    return this.#phase === 'over';
  }

  #on(event: AgentEvent): void {
    switch (event.event) {
      case 'started':
        this.#id = event.id;
        void this.#show(event);
        return;
      case 'offline':
        this.#id = event.id;
        void this.#showOffline(event);
        return;
      case 'reason-wanted':
        void this.#askForReason(event);
        return;
      case 'code-accepted':
        this.#say('The code was right. Making the account …');
        return;
      case 'code-refused':
        this.#say(event.message);
        if (this.#o.email !== undefined && !process.stdin.isTTY)
          this.#finish(1, { state: 'REFUSED', message: event.message, retryAt: event.retryAt });
        else void this.#askForCode();
        return;
      case 'active':
        if (this.#phase === 'waiting') void this.#active(event);
        return;
      case 'warning':
        // The agent wrote on the session's terminal itself; where there is none, somebody still reads this.
        if (!process.stderr.isTTY) this.#say(event.message);
        return;
      case 'ended':
        this.#endedBy = event.reason ?? 'REVOKED';
        if (this.#phase === 'waiting')
          this.#finish(1, { state: 'ENDED', message: 'The access ended before the session began.', reason: event.reason });
        return;
      case 'failed':
        this.#finish(event.state === 'CANCELLED' ? 130 : 1, { state: event.state, message: event.message });
        return;
      case 'attached':
      case 'status':
      case 'done':
        return;
    }
  }

  async #show(login: Extract<AgentEvent, { event: 'started' }>): Promise<void> {
    this.#say(`Login to this computer of ${login.tenantName}`);
    if (login.method === 'TOTP') return this.#askForCode();
    if (login.qrPayload === null) this.#say('If this address may log in here, its phone asks now.');
    else {
      this.#say(await qrText(login.qrPayload, { type: 'utf8', errorCorrectionLevel: 'L' }));
      this.#say(`Scan the code, or open ${login.qrPayload}`);
    }
    const wanted = login.qrPayload === null ? 'Type on your phone the number' : 'Your phone must show the number';
    const end = performance.now() + login.secondsLeft * 1000;
    const line = () => {
      const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
      return `${wanted} ${login.shownNumber}. Time left: ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} (Ctrl-C cancels)`;
    };
    if (!process.stderr.isTTY) return this.#say(line());
    process.stderr.write(line());
    this.#countdown = setInterval(() => process.stderr.write(`\r\u001b[K${line()}`), 1000);
  }

  async #showOffline(login: Extract<AgentEvent, { event: 'offline' }>): Promise<void> {
    this.#say(this.#o.method === 'OFFLINE' ? 'Offline login' : 'The server cannot be reached: offline login');
    this.#say(await qrText(login.qrPayload, { type: 'utf8', errorCorrectionLevel: 'L' }));
    this.#say(`Scan the code, or open on your phone: ${login.qrPayload}`);
    this.#say(
      `The computer's time is ${login.computerTime.slice(0, 19).replace('T', ' ')} UTC; it must be the phone's, or the code is wrong.`,
    );
    return this.#askForCode();
  }

  async #askForReason(wanted: { reason: boolean; ticket: boolean }): Promise<void> {
    const reason = wanted.reason ? (this.#o.reason ?? (await this.#ask('Reason: '))) : null;
    const ticket = wanted.ticket ? (this.#o.ticket ?? (await this.#ask('Ticket: '))) : null;
    if ((wanted.reason && reason === null) || (wanted.ticket && ticket === null)) return this.#interrupted();
    this.#connection?.send({ op: 'reason', reason, ticket });
  }

  async #askForCode(): Promise<void> {
    const email = this.#o.email ?? (await this.#ask('Email: '));
    const code = await this.#ask('Code from the authenticator app: ');
    if (email === null || code === null) return this.#interrupted();
    this.#connection?.send({ op: 'code', email, code });
  }

  async #ask(question: string): Promise<string | null> {
    process.stderr.write(question);
    // One reader for all questions: lines that were piped in together must not get lost between two of them.
    this.#input ??= createInterface({ input: process.stdin, terminal: false });
    this.#typed ??= this.#input[Symbol.asyncIterator]();
    const { value, done } = await this.#typed.next();
    if (!process.stdin.isTTY) process.stderr.write('\n');
    return done === true ? null : String(value).trim();
  }

  async #active(event: Extract<AgentEvent, { event: 'active' }>): Promise<void> {
    this.#phase = 'session';
    this.#endCountdown();
    const { account, uid, grantId, loginRequestId, accountId, passwordVerified, secondsLeft, root } = event;
    if (this.#o.noSession)
      return this.#finish(0, { state: 'ACTIVE', account, uid, accountId, grantId, loginRequestId, passwordVerified, secondsLeft });
    try {
      this.#input?.close();
      const { process: session, note } = openSession({ account, loginRequestId, uid, root, terminal: this.#o.terminal });
      await once(session, 'spawn');
      if (session.pid !== undefined) this.#connection?.send({ op: 'session', pid: session.pid });
      this.#say(`${note} Access ends in ${Math.ceil(secondsLeft / 60)} min, or when you leave the shell.`);
      await once(session, 'exit');
      this.#connection?.send({ op: 'logoff', account });
      // Told by the agent once the account was seen disabled; the agent notices the end of the session also by itself.
      for (let waited = 0; this.#endedBy === null && waited < 100; waited++) await delay(100);
      this.#say(this.#endedBy === null ? 'The session has ended; the agent ends the access.' : `The access has ended (${this.#endedBy}).`);
      this.#finish(0, null);
    } catch (error) {
      this.#finish(1, { state: 'FAILED', message: error instanceof Error ? error.message : String(error) });
    }
  }

  #interrupted(): void {
    if (this.#phase !== 'waiting') return;
    if (this.#id === undefined) return this.#finish(130, { state: 'CANCELLED', message: 'Cancelled.' });
    this.#connection?.send({ op: 'cancel' });
    // Where the agent cannot answer it still sees that this process is gone, and cancels then.
    setTimeout(() => this.#finish(130, { state: 'CANCELLED', message: 'Cancelled.' }), 3_000).unref();
  }

  #finish(code: number, result: Record<string, unknown> | null): void {
    this.#endCountdown();
    if (result !== null && this.#o.noSession) process.stdout.write(`${JSON.stringify(result)}\n`);
    else if (typeof result?.['message'] === 'string') this.#say(result['message']);
    this.#phase = 'over';
    this.#finished.resolve(code);
  }

  #endCountdown(): void {
    if (this.#countdown === undefined) return;
    clearInterval(this.#countdown);
    this.#countdown = undefined;
    process.stderr.write('\n');
  }

  /** Everything for people goes to stderr; stdout is for the one line of JSON. */
  #say(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
