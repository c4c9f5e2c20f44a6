import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunTool } from '../accounts/tool-runner.ts';

const fine = { code: 0, stdout: '', stderr: '' };

/**
 * useradd, usermod, chpasswd and gpasswd as far as break-glass accounts need them, on the files of a private root: some
 * hundred times as fast as the real ones, for tests with thousands of runs. With a stand-in for crypt(3), which is made to
 * be slow.
 */
export function quickTools(root: string): RunTool {
  const path = (file: string) => join(root, 'etc', file);
  const edit = (file: string, name: string, change: (fields: string[]) => string[]) =>
    writeFileSync(
      path(file),
      readFileSync(path(file), 'utf8')
        .split('\n')
        .map((line) => (line.startsWith(`${name}:`) ? change(line.split(':')).join(':') : line))
        .join('\n'),
    );
  const set = (at: number, value: (was: string) => string) => (fields: string[]) => fields.with(at, value(fields[at] ?? ''));
  const members = (text: string) => text.split(',').filter((member) => member !== '');
  const usermod = (name: string, option: string, value: string) => {
    if (option === '-L')
      edit(
        'shadow',
        name,
        set(1, (hash) => (hash.startsWith('!') ? hash : `!${hash}`)),
      );
    if (option === '-U')
      edit(
        'shadow',
        name,
        set(1, (hash) => hash.replace(/^!/, '')),
      );
    if (option === '-e')
      edit(
        'shadow',
        name,
        set(7, () => value),
      );
    if (option === '-c')
      edit(
        'passwd',
        name,
        set(4, () => value),
      );
    if (option === '-G')
      edit(
        'group',
        value,
        set(3, (list) => [...new Set([...members(list), name])].join(',')),
      );
  };
  return async (tool, args, input = '') => {
    const name = args.at(-1) ?? '';
    const option = (which: string) => args[args.indexOf(which) + 1] ?? '';
    switch (tool) {
      case 'useradd': {
        const uids = readFileSync(path('passwd'), 'utf8')
          .split('\n')
          .map((line) => Number(line.split(':')[2] ?? 0));
        if (new RegExp(`^${name}:`, 'm').test(readFileSync(path('passwd'), 'utf8'))) return { ...fine, code: 9 };
        const uid = Math.max(1999, ...uids.filter((each) => each < 60_000)) + 1;
        writeFileSync(
          path('passwd'),
          `${readFileSync(path('passwd'), 'utf8')}${name}:x:${uid}:100:${option('-c')}:/home/${name}:/bin/sh\n`,
        );
        writeFileSync(path('shadow'), `${readFileSync(path('shadow'), 'utf8')}${name}:!:20000:0:99999:7::${option('-e')}:\n`);
        return fine;
      }
      case 'usermod':
        for (const [at, arg] of args.entries()) if (/^-[LUecG]$/.test(arg)) usermod(name, arg, args[at + 1] ?? '');
        return fine;
      case 'chpasswd': {
        const [, user = '', password = ''] = /^([^:]*):(.*)\n$/.exec(input) ?? [];
        const hash = quickCrypt(password, randomUUID());
        edit(
          'shadow',
          user,
          set(1, () => hash),
        );
        return fine;
      }
      case 'gpasswd':
        edit(
          'group',
          name,
          set(3, (list) =>
            members(list)
              .filter((member) => member !== option('-d'))
              .join(','),
          ),
        );
        return fine;
      // How the agent asks the system's crypt(3) about a hash that it does not know.
      case 'perl': {
        const [hash = '', password = ''] = input.split('\n');
        return { ...fine, code: quickCrypt(password, hash.split('$')[2] ?? '') === hash ? 0 : 1 };
      }
      default:
        throw new Error(`No quick ${tool}.`);
    }
  };
}

function quickCrypt(password: string, salt: string): string {
  return `$quick$${salt}$${createHash('sha256').update(`${salt} ${password}`).digest('hex')}`;
}
