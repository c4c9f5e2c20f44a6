import type { Id } from '@stint/kernel';

/**
 * PENDING: escrowed last, and not read back yet. CANDIDATE: perhaps on the computer: a change was cut short, or the
 * computer was set back to it. CURRENT: read back on the computer. FORMER: another one was read back after it.
 */
export type VersionState = 'PENDING' | 'CANDIDATE' | 'CURRENT' | 'FORMER';

/** One password of an account. */
export interface Version {
  id: Id;
  fence: number;
  state: VersionState;
}

export type VersionCommand =
  /** A newer password was escrowed. */
  | { do: 'follow' }
  /** The agent has read this one back on the computer. */
  | { do: 'confirm' }
  /** The agent has read back another one, escrowed under `fence`. */
  | { do: 'replace'; fence: number }
  /** The computer holds this one: it was set back to an earlier state. */
  | { do: 'find' };

/**
 * The state after a command, or null when the command is too late. No password that may be on the computer is called
 * FORMER before another one was read back there, so none of them is ever thrown away (safety rule I2).
 */
export function decideVersion({ state, fence }: Version, command: VersionCommand): VersionState | null {
  switch (command.do) {
    case 'follow':
      return state === 'PENDING' ? 'CANDIDATE' : state;
    case 'confirm':
      return state === 'FORMER' ? null : 'CURRENT';
    case 'replace':
      if (state === 'CURRENT') return 'FORMER';
      // One that was escrowed later may be set yet.
      return fence < command.fence ? 'FORMER' : state;
    case 'find':
      return state === 'FORMER' ? 'CANDIDATE' : state;
  }
}

/** What a command about one version changes in all of the account's versions; null when it comes too late or names none of them. */
export function versionsAfter(versions: readonly Version[], id: Id, command: 'confirm' | 'find'): Version[] | null {
  const named = versions.find((version) => version.id === id);
  if (named === undefined || decideVersion(named, { do: command }) === null) return null;
  return versions.flatMap((version) => {
    const mine = version.id === id;
    if (!mine && command === 'find') return [];
    const state = decideVersion(version, mine ? { do: command } : { do: 'replace', fence: named.fence });
    return state === null || state === version.state ? [] : [{ ...version, state }];
  });
}
