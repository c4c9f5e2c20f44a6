import { toString as qrText } from 'qrcode';
import type { AgentEvent, TerminalRequest } from '../login/protocol.ts';
import type { LineConnection } from '../login/socket.ts';
import type { PamReply } from './pam-line.domain.ts';

/** The login desk's side of one terminal. */
export interface DeskVisitor {
  message(request: TerminalRequest): void;
  closed(): void;
}

export interface PamConversationOptions {
  /** The process whose session this will be. */
  pid: number;
  /**
   * How long to wait for the approval before asking again; null: to its end. While sshd waits it does not notice that its
   * client is gone, and shows nothing.
   */
  patienceMs: number | null;
  visit(terminal: LineConnection<AgentEvent>): DeskVisitor;
  say(reply: PamReply): void;
  /** Access is there: from now on `visitor` speaks for its session. Called once, before `ok`. */
  granted(access: Extract<AgentEvent, { event: 'active' }>, visitor: DeskVisitor): void;
  /** Access that was granted has ended. */
  ended(): void;
}

interface Decision {
  say: 'ok' | 'fail';
  text: string;
}

type Question = 'approve' | 'email' | 'code' | 'reason' | 'ticket';

const questions: Record<Question, { say: 'ask' | 'secret'; text: string }> = {
  approve: { say: 'ask', text: 'Approve on your phone, then press Enter. Or type your email address to log in by code: ' },
  email: { say: 'ask', text: 'Email: ' },
  code: { say: 'secret', text: 'Code from the authenticator app: ' },
  reason: { say: 'ask', text: 'Reason: ' },
  ticket: { say: 'ask', text: 'Ticket: ' },
};

/** For making the account, once approved. */
const graceSeconds = 60;
const offlineSeconds = 600;

/** A person types one of three codes; then the login must be asked for again. */
const codeTries = 3;

/**
 * One login through PAM. The module only waits for us after an answer, so what is decided while somebody looks at a
 * question is told when the question was answered.
 */
export class PamConversation {
  readonly #o: PamConversationOptions;
  #visitor: DeskVisitor | null = null;
  #decision: Decision | null = null;
  #question: Question | null = null;
  /** What is still to be said before an offline login begins. */
  #wanted: { reason: boolean; ticket: boolean } = { reason: false, ticket: false };
  #reason: string | null = null;
  #email: string | null = null;
  #codesLeft = codeTries;
  #patience: NodeJS.Timeout | undefined;
  #over = false;

  constructor(options: PamConversationOptions) {
    this.#o = options;
  }

  start(): void {
    this.#begin('QR');
  }

  /** Whether the module waits for us now. */
  get busy(): boolean {
    return !this.#over && this.#question === null;
  }

  answer(text: string): void {
    const question = this.#question;
    this.#question = null;
    if (question === null || this.#over) return;
    if (this.#decision) return this.#settle();
    switch (question) {
      case 'code':
        if (this.#email !== null) this.#visitor?.message({ op: 'code', email: this.#email, code: text.slice(0, 16) });
        return;
      case 'reason':
        this.#reason = text.slice(0, 200);
        return this.#wanted.ticket ? this.#ask('ticket') : this.#explain(null);
      case 'ticket':
        return this.#explain(text.slice(0, 200));
      case 'approve':
        if (text === '') return this.#wait();
        if (!this.#takeEmail(text, question)) return;
        this.#leave();
        return this.#begin('TOTP');
      case 'email':
        if (this.#takeEmail(text, question)) this.#ask('code');
        return;
    }
  }

  /** The module is gone. Without a decision that it heard, the login is given up. */
  closed(): void {
    clearTimeout(this.#patience);
    if (this.#over) return;
    this.#over = true;
    if (this.#decision?.say !== 'ok') return this.#leave();
    this.#o.ended();
    this.#visitor?.message({ op: 'logoff', account: this.#decision.text });
  }

  #takeEmail(text: string, question: Question): boolean {
    const fits = /^\S+@\S+$/.test(text) && text.length <= 254;
    if (fits) this.#email = text;
    else {
      this.#text('That is no email address.');
      this.#ask(question);
    }
    return fits;
  }

  #explain(ticket: string | null): void {
    this.#visitor?.message({ op: 'reason', reason: this.#reason, ticket });
  }

  #wait(): void {
    this.#text('Waiting for the approval …');
    if (this.#o.patienceMs === null) return;
    this.#patience = setTimeout(() => {
      this.#text('Not approved yet.');
      this.#ask('approve');
    }, this.#o.patienceMs);
  }

  #begin(method: 'QR' | 'TOTP'): void {
    const visitor: DeskVisitor = this.#o.visit({
      send: (event) => {
        // What is still said about a login that was left for another method is of no interest.
        if (this.#visitor === visitor) void this.#on(event);
      },
      close: () => undefined,
    });
    this.#visitor = visitor;
    visitor.message({ op: 'login', method, pid: this.#o.pid, detached: false });
  }

  #leave(): void {
    const visitor = this.#visitor;
    this.#visitor = null;
    visitor?.message({ op: 'cancel' });
    visitor?.closed();
  }

  async #on(event: AgentEvent): Promise<void> {
    switch (event.event) {
      case 'started':
        return this.#show(event);
      case 'offline':
        return this.#showOffline(event);
      case 'reason-wanted':
        this.#wanted = event;
        return this.#ask(event.reason ? 'reason' : 'ticket');
      case 'code-accepted':
        return this.#text('The code was right. Making the account …');
      case 'code-refused':
        if (--this.#codesLeft <= 0) return this.#decide({ say: 'fail', text: event.message });
        this.#text(event.message);
        return this.#ask('code');
      case 'active':
        if (this.#decision || this.#visitor === null) return;
        this.#o.granted(event, this.#visitor);
        return this.#decide({ say: 'ok', text: event.account });
      case 'ended':
        this.#o.ended();
        return this.#decide({ say: 'fail', text: 'The access ended before the session began.' });
      case 'failed':
        return this.#decide({ say: 'fail', text: event.message });
      case 'attached':
      case 'warning':
      case 'status':
      case 'done':
        return;
    }
  }

  async #show(login: Extract<AgentEvent, { event: 'started' }>): Promise<void> {
    // The first line shares its place with what ssh writes before every question.
    this.#o.say({ say: 'life', text: String(login.secondsLeft + graceSeconds) });
    this.#text(`Login to this computer of ${login.tenantName}`);
    if (login.qrPayload === null) return this.#ask('code');
    await this.#picture(login.qrPayload);
    this.#text(`Scan the code, or open ${login.qrPayload}`);
    this.#text(`Your phone must show the number ${login.shownNumber}. You have ${login.secondsLeft} seconds.`);
    this.#ask('approve');
  }

  async #showOffline({ qrPayload, computerTime }: Extract<AgentEvent, { event: 'offline' }>): Promise<void> {
    this.#o.say({ say: 'life', text: String(offlineSeconds) });
    this.#text('The server cannot be reached: offline login');
    await this.#picture(qrPayload);
    this.#text(`Scan the code, or open on your phone: ${qrPayload}`);
    this.#text(`The computer's time is ${computerTime.slice(0, 19).replace('T', ' ')} UTC; it must be the phone's, or the code is wrong.`);
    this.#ask(this.#email === null ? 'email' : 'code');
  }

  async #picture(payload: string): Promise<void> {
    const picture = await qrText(payload, { type: 'utf8', errorCorrectionLevel: 'L' });
    for (const line of picture.replace(/\n+$/, '').split('\n')) this.#text(line);
  }

  #decide(decision: Decision): void {
    this.#decision = decision;
    if (this.#question === null) this.#settle();
  }

  #settle(): void {
    if (this.#over || !this.#decision) return;
    clearTimeout(this.#patience);
    this.#over = true;
    this.#o.say(this.#decision);
  }

  #ask(question: Question): void {
    if (this.#over) return;
    if (this.#decision) return this.#settle();
    this.#question = question;
    this.#o.say(questions[question]);
  }

  #text(text: string): void {
    if (!this.#over) this.#o.say({ say: 'text', text });
  }
}
