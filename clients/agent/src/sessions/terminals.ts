import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';

/** The path of a terminal by its device number as /proc tells it (tty(4), pts(4)); null for any other device. */
export function terminalPath(device: number): string | null {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `/dev/pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `/dev/tty${minor}` : `/dev/ttyS${minor - 64}`;
  return null;
}

/**
 * A text that changes whenever something was typed at the terminal: its time of last access, which is what `w` shows as
 * idle time (the kernel moves it in steps of up to 8 seconds). Null when the terminal is gone.
 */
export function lastInput(path: string): string | null {
  try {
    return String(statSync(path).atimeMs);
  } catch {
    return null;
  }
}

/** Writes one line on a terminal as wall(1) does. One that is stopped or gone is left alone. */
export function writeOn(path: string, line: string): void {
  try {
    const terminal = openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      writeSync(terminal, `\r\n\u0007${line.replace(/[^\x20-\x7e]/g, '?')}\r\n`);
    } finally {
      closeSync(terminal);
    }
  } catch {
    // Nobody reads it.
  }
}
