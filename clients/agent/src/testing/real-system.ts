// The driver on the "real" system, in a mount namespace in which /etc and /home are copies: run by real-system.int-spec.ts
// as root through `unshare -m`. Prints what it saw as one line of JSON.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { generatePassword } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { findTool } from '../accounts/tool-runner.ts';
import { openSession } from '../login/session.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import { findProcess } from '../processes/process-ref.ts';
import { processesOf } from '../processes/user-processes.ts';
import { carriesMark, sessionMark } from '../sessions/session-mark.ts';
import { Sessions } from '../sessions/sessions.ts';
import { emptyState, type GrantRecord } from '../state/agent-state.ts';
import { Memory } from '../state/memory.ts';

const su = findTool('su') ?? 'su';
const driver = new LinuxDriver();
const accountId = newId();
const order = () => ({
  accountId,
  name: 'jit-real',
  displayName: 'Real Person',
  endsAtMs: Date.now() + 3_600_000,
  password: generatePassword(24),
});
const state = async () => (await driver.read())[0]?.state ?? 'ABSENT';
const shell = (script: string) => execFileSync(su, ['-l', 'jit-real', '-c', script], { encoding: 'utf8' }).trim();
const refused = () => {
  try {
    // As an ordinary user would: root itself may become anybody.
    execFileSync(su, ['-l', 'jit-real', '-c', 'true'], { stdio: 'pipe', uid: 65_534 });
    return false;
  } catch {
    return true;
  }
};

const aGrantRecord: GrantRecord = {
  grantId: 'grant',
  loginRequestId: null,
  phase: 'ENDING',
  since: linuxClock.read(),
  deadline: null,
  endReason: null,
  detail: null,
  offline: null,
  idleEndSeconds: null,
  warnSeconds: 300,
  privilegedBefore: null,
  privileged: null,
};
const seen: Record<string, unknown> = {};
const enabled = await driver.enable(order());
seen['enabled'] = { ...enabled, uid: enabled.uid >= 1000, state: await state() };
seen['identity'] = shell('echo "$(id -un) $(id -Gn | tr " " "\\n" | grep -xE "sudo|wheel")"');
seen['homeMode'] = (statSync('/home/jit-real').mode & 0o777).toString(8);
const background = spawn(su, ['-l', 'jit-real', '-c', 'trap "" HUP; sleep 300 & wait'], { stdio: 'ignore' });
await eventually(() => {
  if (processesOf(enabled.uid).length < 2) throw new Error('not yet');
});
const session = openSession({ account: 'jit-real', loginRequestId: newId(), uid: enabled.uid, root: null, terminal: 'dumb' });
const sessionEnded = once(session.process, 'exit');
// A second technician on the same account: ends alone, with what hid from its shell.
const other = openSession({ account: 'jit-real', loginRequestId: 'other', uid: enabled.uid, root: null, terminal: 'dumb' });
const hidden = spawn(su, ['-w', sessionMark, '-l', 'jit-real', '-c', 'setsid -f sleep 300'], {
  stdio: 'ignore',
  env: { [sessionMark]: 'other' },
});
await once(hidden, 'exit');
const otherEnded = once(other.process, 'exit');
const state2 = emptyState();
const first = other.process.pid === undefined ? null : findProcess(other.process.pid);
state2.logins['other'] = {
  id: 'other',
  method: 'QR',
  expiresAtMs: 0,
  startedAt: linuxClock.read(),
  terminal: first!,
  sessions: [first!],
  detached: false,
};
const sessions = new Sessions({ memory: new Memory({ load: () => state2, save: () => undefined }), clock: linuxClock, processesOf });
const allGone = await sessions.end({ ...aGrantRecord, loginRequestId: 'other' });
await otherEnded;
const left = processesOf(enabled.uid).filter((pid) => carriesMark(pid, 'other')).length;
seen['otherEnded'] = {
  allGone,
  left,
  firstRuns: session.process.exitCode === null && session.process.signalCode === null,
  state: await state(),
};
await driver.prolong(accountId, Date.now() + 5 * 86_400_000);
seen['prolonged'] = { state: await state(), privileged: JSON.stringify(await driver.privileged()).includes('jit-real') };
await driver.disable({ accountId, name: null, uid: null });
await Promise.all([sessionEnded, background.exitCode === null && background.signalCode === null ? once(background, 'exit') : null]);
seen['disabled'] = { state: await state(), processes: processesOf(enabled.uid).length, refused: refused() };
await driver.enable(order());
seen['again'] = { state: await state(), identity: shell('id -un') };
await driver.remove({ accountId, name: null, uid: null });
seen['removed'] = { state: await state(), home: existsSync('/home/jit-real') };
process.stdout.write(JSON.stringify(seen));
