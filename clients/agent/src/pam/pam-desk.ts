import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Logger } from '@stint/host';
import type { AgentEvent } from '../login/protocol.ts';
import type { LineConnection } from '../login/socket.ts';
import { readProcess, type SystemProcess } from '../processes/process-ref.ts';
import { PamConversation, type DeskVisitor } from './pam-conversation.ts';
import { longestLine, pamLine, readPamLine, type PamCaller, type PamReply, type PamRequest } from './pam-line.domain.ts';
import { becomeWith, openWith, overdue, ticketLifeMs, type Anchor, type Ticket } from './tickets.domain.ts';

export interface PamDeskOptions {
  /** Takes in a terminal as `LoginDesk.visitor` does. */
  visit(terminal: LineConnection<AgentEvent>): DeskVisitor;
  log: Logger;
}

const keepAliveMs = 5_000;
const sshPatienceMs = 8_000;
/** Logins that wait at the same time, of one service: SSH, which strangers reach, must not use up the console's. */
const waitingAtOnce = 10;
const noApproval = 'No access was approved for this session.';

/**
 * Serves the PAM module: conducts its logins as a terminal of the login desk, and ties each approval to the one process
 * that asked for it. Everything is in memory: an agent that is restarted has forgotten what nobody has used yet.
 */
export class PamDesk {
  readonly #o: PamDeskOptions;
  readonly #visitors = new Map<string, DeskVisitor>();
  readonly #waiting = new Map<string, number>();
  #tickets: Ticket[] = [];

  constructor(options: PamDeskOptions) {
    this.#o = options;
  }

  /** Serves one connection of the module. */
  serve(socket: Socket): void {
    const say = (reply: PamReply) => {
      if (socket.writable) socket.write(pamLine(reply));
      if (reply.say === 'ok' || reply.say === 'fail') socket.end();
    };
    let conversation: PamConversation | null = null;
    let started = false;
    let release = () => undefined as void;
    const keepAlive = setInterval(() => conversation?.busy && say({ say: 'wait' }), keepAliveMs);
    const lines = createInterface({ input: socket });
    lines.on('error', () => socket.destroy());
    lines.on('line', (line) => {
      const request = Buffer.byteLength(line) > longestLine ? null : readPamLine(line);
      if (request === null || (request.op === 'answer') !== started) return void socket.destroy();
      started = true;
      if (request.op === 'answer') return conversation?.answer(request.text);
      if (request.op === 'open') return this.#open(request, say);
      if (request.op === 'become') return this.#become(request, say);
      const free = this.#enter(request.service);
      if (free === null) return say({ say: 'fail', text: 'Too many people are logging in here right now. Try again in a minute.' });
      release = free;
      conversation = this.#login(request, say);
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearInterval(keepAlive);
      conversation?.closed();
      release();
    });
  }

  #login(request: PamCaller, say: (reply: PamReply) => void): PamConversation | null {
    const anchor = anchorOf(request);
    if (anchor === null) {
      say({ say: 'fail', text: 'The agent cannot see the process that asks. Does it run in another container?' });
      return null;
    }
    let loginRequestId: string | null = null;
    const conversation = new PamConversation({
      pid: anchor.pid,
      patienceMs: request.service === 'sshd' ? sshPatienceMs : null,
      visit: (terminal) => this.#o.visit(terminal),
      say,
      granted: (access, visitor) => {
        loginRequestId = access.loginRequestId;
        this.#visitors.set(loginRequestId, visitor);
        this.#keep({
          loginRequestId,
          account: access.account,
          anchor,
          state: 'APPROVED',
          until: performance.now() + ticketLifeMs,
          // login(1) goes on as the account that PAM names; the others as the entry account.
          direct: request.service === 'login',
        });
      },
      ended: () => loginRequestId !== null && this.#forget(loginRequestId),
    });
    conversation.start();
    return conversation;
  }

  #open(request: PamCaller, say: (reply: PamReply) => void): void {
    const { opened, left } = openWith(this.#tickets, request, performance.now());
    this.#tickets = left;
    const visitor = opened && this.#visitors.get(opened.loginRequestId);
    if (!opened || !visitor || !isStill(request)) return say({ say: 'fail', text: noApproval });
    visitor.message({ op: 'session', pid: request.pid });
    this.#expireLater();
    this.#o.log.info({ loginRequestId: opened.loginRequestId, service: request.service }, 'Session opened through PAM.');
    say({ say: 'ok', text: `${opened.account} ${opened.loginRequestId}` });
  }

  #become(request: Extract<PamRequest, { op: 'become' }>, say: (reply: PamReply) => void): void {
    const parents = isStill(request) ? parentsOf(request.pid) : [];
    const { used, left } = becomeWith(this.#tickets, request.account, parents, performance.now());
    this.#tickets = left;
    if (used) return say({ say: 'ok', text: `${used.account} ${used.loginRequestId}` });
    this.#o.log.warn(
      { service: request.service },
      'A process of the entry account wanted an account that was not approved for its session.',
    );
    say({ say: 'fail', text: noApproval });
  }

  #keep(ticket: Ticket): void {
    this.#tickets.push(ticket);
    this.#expireLater();
  }

  #forget(loginRequestId: string): void {
    this.#visitors.delete(loginRequestId);
    this.#tickets = this.#tickets.filter((ticket) => ticket.loginRequestId !== loginRequestId);
  }

  /** An approval that no session took up is given back: its access ends. */
  #expireLater(): void {
    setTimeout(() => {
      const { over, left } = overdue(this.#tickets, performance.now());
      this.#tickets = left;
      for (const { state, loginRequestId, account } of over)
        if (state === 'APPROVED') this.#visitors.get(loginRequestId)?.message({ op: 'logoff', account });
    }, ticketLifeMs + 50).unref();
  }

  #enter(service: string): (() => void) | null {
    const waiting = this.#waiting.get(service) ?? 0;
    if (waiting >= waitingAtOnce) return null;
    this.#waiting.set(service, waiting + 1);
    return () => void this.#waiting.set(service, (this.#waiting.get(service) ?? 1) - 1);
  }
}

/**
 * The process whose session it will be. sshd asks PAM in a child of the process that later opens the session (and only
 * there can questions be answered, which a login needs); everybody else asks and opens in one.
 */
function anchorOf(caller: PamCaller): Anchor | null {
  const process = still(caller);
  return process && caller.service === 'sshd' ? readProcess(process.parent) : process;
}

function still({ pid, startTicks }: PamCaller): SystemProcess | null {
  const process = readProcess(pid);
  return process?.startTicks === startTicks ? process : null;
}

function isStill(caller: PamCaller): boolean {
  return still(caller) !== null;
}

/** The process and all its parents. */
function parentsOf(pid: number): Anchor[] {
  const line: SystemProcess[] = [];
  for (let next = pid; next > 0;) {
    const process = readProcess(next);
    if (!process || line.some((seen) => seen.pid === process.pid)) break;
    line.push(process);
    next = process.parent;
  }
  return line;
}
