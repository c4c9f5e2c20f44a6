import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  gecos: string;
  home: string;
  shell: string;
}

export interface ShadowEntry {
  hash: string;
  /** Days since the epoch from which the account is expired; null: never. */
  expireDay: number | null;
}

export interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** The account files of one system, read at one moment. */
export interface AccountFiles {
  passwd: PasswdEntry[];
  shadow: Map<string, ShadowEntry>;
  group: GroupEntry[];
}

/** Reads passwd, shadow and group as they are now: local files only, by number, without any name service in between. */
export async function readAccountFiles(etc: string): Promise<AccountFiles> {
  const [passwd, shadow, group] = await Promise.all([rows(join(etc, 'passwd')), rows(join(etc, 'shadow')), rows(join(etc, 'group'))]);
  return {
    passwd: passwd.map(([name = '', , uid, gid, gecos = '', home = '', shell = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      gecos,
      home,
      shell,
    })),
    shadow: new Map(
      shadow.map(([name = '', hash = '', , , , , , expire = '']) => [name, { hash, expireDay: expire === '' ? null : Number(expire) }]),
    ),
    group: group.map(([name = '', , gid, members = '']) => ({
      name,
      gid: Number(gid),
      members: members.split(',').filter((member) => member !== ''),
    })),
  };
}

async function rows(path: string): Promise<string[][]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^[#+-]/.test(line))
    .map((line) => line.split(':'));
}
