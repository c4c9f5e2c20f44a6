import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { agentState, emptyState, type AgentState } from './agent-state.ts';
import { writeDurably } from './durable-file.ts';
import { migrated } from './migrations.ts';

/** Where the agent's memory lives. `save` returns only when the state would survive a power cut. */
export interface StateStore {
  load(): AgentState;
  save(state: AgentState): void;
}

/** The agent's memory as one file of its state folder. */
export class FileStateStore implements StateStore {
  readonly #path: string;
  readonly #warn: (message: string) => void;

  constructor(folder: string, warn: (message: string) => void) {
    this.#path = join(folder, 'state.json');
    this.#warn = warn;
  }

  /** An unreadable file is set aside: an agent without memory disables what it cannot account for, which is safe. */
  load(): AgentState {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyState();
      throw error;
    }
    try {
      return agentState.parse(migrated(JSON.parse(text)));
    } catch {
      renameSync(this.#path, `${this.#path}.unreadable`);
      this.#warn(
        `${this.#path} could not be read and was set aside as state.json.unreadable. Accounts that are enabled without a record are disabled.`,
      );
      return emptyState();
    }
  }

  save(state: AgentState): void {
    writeDurably(this.#path, `${JSON.stringify(state, null, 1)}\n`);
  }
}
