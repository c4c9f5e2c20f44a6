import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountFiles, PasswdEntry } from '../accounts/account-files.ts';
import { processesOf } from '../processes/user-processes.ts';
import type { LapsFinding } from './laps-driver.ts';
import { lastLogOn } from './last-log-on.ts';

const mostUses = 50;
const largestFile = 65_536;

/** What an account is that was there before us: for whoever decides whether Stint may have its password. Changes nothing. */
export function findingOf(root: string | null, files: AccountFiles, entry: PasswdEntry): LapsFinding {
  const groups = files.group
    .filter(({ gid, members }) => gid === entry.gid || members.includes(entry.name))
    .map(({ name }) => name)
    .sort();
  return {
    uid: entry.uid,
    lastLogOnAt: lastLogOn(root, entry)?.toISOString() ?? null,
    groups: groups.slice(0, mostUses),
    uses: uses(root, entry).slice(0, mostUses),
    digest: createHash('sha256')
      .update(JSON.stringify([entry.name, entry.uid, entry.gid, entry.home, entry.shell, groups]))
      .digest('hex'),
  };
}

/** What runs or logs in as this account, as far as files and processes tell. */
function uses(root: string | null, { name, uid, home }: PasswdEntry): string[] {
  const at = (path: string) => join(root ?? '/', path);
  const cron = ['/var/spool/cron/crontabs', '/var/spool/cron'].filter((folder) => text(at(join(folder, name))) !== null);
  const cronFiles = ['/etc/crontab', ...list(at('/etc/cron.d')).map((file) => `/etc/cron.d/${file}`)].filter((file) =>
    new RegExp(`^\\s*(?:@\\w+|(?:\\S+\\s+){4}\\S+)\\s+${name}\\s`, 'm').test(text(at(file)) ?? ''),
  );
  const units = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'].flatMap((folder) =>
    list(at(folder)).filter((unit) => new RegExp(`^User\\s*=\\s*(?:${name}|${uid})\\s*$`, 'm').test(text(at(join(folder, unit))) ?? '')),
  );
  const own = list(at(join(home, '.config/systemd/user'))).filter((unit) => /\.(?:service|timer)$/.test(unit));
  const keys = (text(at(join(home, '.ssh/authorized_keys'))) ?? '').split('\n').filter((line) => /^\s*[^#\s]/.test(line)).length;
  const sudo = ['/etc/sudoers', ...list(at('/etc/sudoers.d')).map((file) => `/etc/sudoers.d/${file}`)].filter((file) =>
    new RegExp(`^\\s*${name}\\s`, 'm').test(text(at(file)) ?? ''),
  );
  // Numbers of accounts on a private root belong to other people outside of it.
  const processes = root === null ? processesOf(uid).slice(0, 20) : [];
  return [
    ...processes.map((pid) => `process ${pid} (${(text(`/proc/${pid}/comm`) ?? '').trim() || 'ended'})`),
    ...cron.map((folder) => `timetable ${folder}/${name}`),
    ...cronFiles.map((file) => `timetable ${file}`),
    ...[...new Set(units)].map((unit) => `service ${unit}`),
    ...own.map((unit) => `its own service ${unit}`),
    ...(keys > 0 ? [keys === 1 ? '1 SSH key that opens it' : `${keys} SSH keys that open it`] : []),
    ...sudo.map((file) => `rule of sudo in ${file}`),
  ];
}

/** A file's text; null when there is none, it is no plain file, or too large. The account's owner may have made it: never a FIFO or a link. */
function text(path: string): string | null {
  try {
    const { size } = path.startsWith('/proc/') ? { size: 0 } : plain(path);
    return size > largestFile ? null : readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function plain(path: string): { size: number } {
  const status = lstatSync(path);
  if (!status.isFile()) throw new Error('No plain file.');
  return status;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
