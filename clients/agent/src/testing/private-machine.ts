import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { createPrivateRoot } from '../accounts/private-root.ts';
import { userNamespacesWork } from '../accounts/user-namespaces.ts';
import { findTool } from '../accounts/tool-runner.ts';

const namespaces = await userNamespacesWork();
const missing = ['useradd', 'usermod', 'userdel', 'chpasswd'].filter((tool) => findTool(tool) === null);
const obstacle = !namespaces.works
  ? namespaces.wayOut
  : missing.length > 0
    ? `The account tools ${missing.join(', ')} are not installed.`
    : null;
if (obstacle !== null) process.stderr.write(`Skipped, tests with the real account tools: ${obstacle}\n`);

/** `describe` where the real account tools can run on a private root; a skip that says why elsewhere. */
export const describeWithRealTools: (name: string, tests: () => void) => void = obstacle === null ? describe : describe.skip;

/** A computer of the tests' own: a private root and a state folder. */
export interface PrivateMachine {
  root: string;
  stateFolder: string;
  /** A line of a file of its /etc, split at `:`. */
  line(file: string, name: string): string[] | undefined;
  edit(file: string, change: (text: string) => string): void;
  remove(): void;
}

export function createPrivateMachine(): PrivateMachine {
  const root = mkdtempSync(join(tmpdir(), 'stint-agent-'));
  createPrivateRoot(root);
  const read = (file: string) => readFileSync(join(root, 'etc', file), 'utf8');
  return {
    root,
    stateFolder: join(root, 'state'),
    line: (file, name) =>
      read(file)
        .split('\n')
        .find((line) => line.startsWith(`${name}:`))
        ?.split(':'),
    edit: (file, change) => writeFileSync(join(root, 'etc', file), change(read(file))),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
