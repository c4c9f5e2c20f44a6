import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const agentMain = fileURLToPath(new URL('../../../clients/agent/dist/main.js', import.meta.url));

const active = z.object({
  state: z.literal('ACTIVE'),
  account: z.string(),
  grantId: z.string() /** Null where the agent was restarted in between: nobody has the password any more to check it with. */,
  passwordVerified: z.boolean().nullable(),
});

/** `stint-agent login` at the demo computer, as seen by somebody in front of its screen. */
export class LoginAtComputer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  #screen = '';
  #output = '';

  constructor(options: { state: string; root: string; args: readonly string[] }) {
    const args = [agentMain, 'login', '--no-session', '--state', options.state, '--root', options.root, ...options.args];
    this.#process = spawn(process.execPath, args, { stdio: 'pipe' });
    this.#closed = once(this.#process, 'close');
    this.#process.stderr.on('data', (chunk) => (this.#screen += String(chunk)));
    this.#process.stdout.on('data', (chunk) => (this.#output += String(chunk)));
  }

  /** All that the screen shows. */
  screen(): string {
    return this.#screen;
  }

  type(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** The address in the QR code. */
  async qrAddress(): Promise<string> {
    return this.#find(/(https?:\S+\/l\/\S+)/);
  }

  /** The two digits to compare with the phone. */
  async shownNumber(): Promise<string> {
    return this.#find(/number (\d\d)/);
  }

  /** What came of the login; throws with its state and the screen when it is not an access. */
  async result(): Promise<z.infer<typeof active>> {
    await this.#closed;
    const parsed = active.safeParse(JSON.parse(this.#output || '{}'));
    if (!parsed.success) throw new Error(`The login gave no access: ${this.#output.trim() || this.#screen.trim()}`);
    return parsed.data;
  }

  async #find(pattern: RegExp): Promise<string> {
    for (let waited = 0; waited < 15_000; waited += 20) {
      const found = pattern.exec(this.#screen)?.[1];
      if (found !== undefined) return found;
      if (this.#process.exitCode !== null) break;
      await delay(20);
    }
    throw new Error(`The computer does not show what was expected. It shows:\n${this.#screen || this.#output}`);
  }
}
