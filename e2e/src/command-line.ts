import { Readable } from 'node:stream';
import { run, type ExitCode } from '@stint/cli';
import type { Person } from '@stint/embedded';
import { OAuthFlow } from './oauth-flow.ts';

/** What a command said. */
export interface Said {
  exitCode: ExitCode;
  stdout: string;
  stderr: string;
}

/** The command line as somebody at no terminal calls it, with its profiles in a folder of the test. */
export class CommandLine {
  readonly #url: string;
  readonly #configFolder: string;

  constructor(url: string, configFolder: string) {
    this.#url = url;
    this.#configFolder = configFolder;
  }

  /** Runs a command; `browser` is the person who sits at the browser that it opens. */
  async run(argv: string[], stdin?: string, browser?: Person): Promise<Said> {
    const said = { stdout: '', stderr: '' };
    const sink = (name: 'stdout' | 'stderr') => ({ write: (text: string) => void (said[name] += text) });
    const io = {
      env: {},
      stdin: Readable.from(stdin === undefined ? [] : [stdin]),
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      openBrowser: async (address: string) => (browser === undefined ? undefined : this.#signInAs(browser, address)),
    };
    return { exitCode: await run(['--config-dir', this.#configFolder, ...argv], io), ...said };
  }

  /** The JSON of a command that must work. */
  async json<Shape>(argv: string[], stdin?: string): Promise<Shape> {
    const { exitCode, stdout, stderr } = await this.run(['--json', ...argv], stdin);
    if (exitCode !== 0 || stderr !== '') throw new Error(`stint ${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
    return JSON.parse(stdout) as Shape;
  }

  /** What a person does in the browser that the command line opens. */
  async #signInAs(person: Person, address: string): Promise<void> {
    const browser = new OAuthFlow(this.#url);
    const page = (await browser.get(address)).headers.get('location') ?? '';
    const sign = ({ challenge }: Record<string, unknown>) => JSON.parse(person.sign(Buffer.from(String(challenge), 'base64url'))) as object;
    const { status } = await fetch(await browser.walk(page, sign));
    if (status !== 200) throw new Error(`The sign-in ended with ${status}.`);
  }
}
