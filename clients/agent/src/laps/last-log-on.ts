import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { PasswdEntry } from '../accounts/account-files.ts';

// lastlog(5): one record per user number. wtmp(5): one per log-on, the newest at the end. glibc keeps 32-bit times in them
// on every architecture but 64-bit ARM (its bits/wordsize.h, __WORDSIZE_TIME64_COMPAT32).
const wide = process.arch === 'arm64';
const lastlog = { size: wide ? 296 : 292, time: 0 };
const wtmp = { size: wide ? 400 : 384, type: 0, user: 44, userLength: 32, time: wide ? 344 : 340, userProcess: 7 };
const wtmpRecords = 10_000;

/** When the account was last logged on, by whichever of the system's files tells a later time; null when none does. */
export function lastLogOn(root: string | null, { name, uid }: Pick<PasswdEntry, 'name' | 'uid'>): Date | null {
  const log = join(root ?? '/', 'var/log');
  const seconds = Math.max(fromLastlog(join(log, 'lastlog'), uid), fromWtmp(join(log, 'wtmp'), name));
  return seconds > 0 ? new Date(seconds * 1000) : null;
}

function fromLastlog(path: string, uid: number): number {
  // The file is sparse and as large as the highest number: only the record is read.
  const record = part(path, () => ({ from: uid * lastlog.size, length: lastlog.size }));
  return record.length === lastlog.size ? record.readUInt32LE(lastlog.time) : 0;
}

function fromWtmp(path: string, name: string): number {
  const records = part(path, (size) => {
    const whole = size - (size % wtmp.size);
    const from = Math.max(0, whole - wtmpRecords * wtmp.size);
    return { from, length: whole - from };
  });
  for (let at = records.length - wtmp.size; at >= 0; at -= wtmp.size) {
    const user = records.toString('latin1', at + wtmp.user, at + wtmp.user + wtmp.userLength).replace(/\0.*$/s, '');
    if (records.readInt16LE(at + wtmp.type) === wtmp.userProcess && user === name.slice(0, wtmp.userLength))
      return records.readUInt32LE(at + wtmp.time);
  }
  return 0;
}

/** A part of a file; empty where the system does not keep it. */
function part(path: string, which: (size: number) => { from: number; length: number }): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const { from, length } = which(fstatSync(file).size);
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, from));
    } finally {
      closeSync(file);
    }
  } catch {
    return Buffer.alloc(0);
  }
}
