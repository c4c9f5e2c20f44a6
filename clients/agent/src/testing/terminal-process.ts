import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { bundled } from '@stint/testing';
import type { PrivateMachine } from './private-machine.ts';

/** `stint-agent` as a process, with pipes for its terminal. */
export class Terminal {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly exitCode: Promise<number | null>;

  constructor(machine: PrivateMachine, ...args: string[]) {
    this.process = spawn(...this.program(machine, args));
    this.process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exitCode = new Promise((resolve) => this.process.once('close', resolve));
  }

  type(text: string): void {
    this.process.stdin?.write(text);
  }

  result(): Record<string, unknown> {
    expect(this.stdout.trim().split('\n')).toHaveLength(1);
    return JSON.parse(this.stdout) as Record<string, unknown>;
  }

  protected program(machine: PrivateMachine, [command = 'login', ...rest]: string[]): [string, string[], { stdio: 'pipe' }] {
    const program = bundled(join(import.meta.dirname, '..', 'main.ts'));
    return [process.execPath, [program, command, '--state', machine.stateFolder, ...rest], { stdio: 'pipe' }];
  }
}

/** The same on a real pseudo-terminal, made by script(1): what it shows is in `stdout`. */
export class PtyTerminal extends Terminal {
  protected override program(machine: PrivateMachine, args: string[]): [string, string[], { stdio: 'pipe' }] {
    const [node, rest] = super.program(machine, args);
    return ['script', ['-qfec', [node, ...rest].map((word) => `'${word}'`).join(' '), '/dev/null'], { stdio: 'pipe' }];
  }
}
