// The agent as a process of its own that kills itself (SIGKILL) at its nth effect on the world: before or after running
// a tool, writing its memory, or handing over a report. Its server is a folder: `desired.json` in, `reports.jsonl` out.
// Arguments: private root, folder of the server, number of the effect (0: never).
import { appendFileSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { generateHpkeKeyPair, generatePassword } from '@stint/crypto';
import { createLog } from '@stint/host';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { runInNamespace } from '../accounts/tool-runner.ts';
import type { CheckIn, ControlPlane } from '../control-plane/control-plane.ts';
import { Daemon } from '../daemon.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import { makePrivateFolder } from '../state/durable-file.ts';
import { OfflineChecker } from '../offline/offline-checker.ts';
import { OfflineStore } from '../offline/offline-store.ts';
import { FileStateStore } from '../state/state-store.ts';

// Compiled code is kept when a process ends, which this one will not live to see.
flushCompileCache();

const [root = '', server = '', nth = '0'] = process.argv.slice(2);
const stateFolder = join(root, 'state');
let left = Number(nth);

function effect(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
}

async function around<T>(work: () => Promise<T>): Promise<T> {
  effect();
  const result = await work();
  effect();
  return result;
}

class KillableStore extends FileStateStore {
  override save(...state: Parameters<FileStateStore['save']>): void {
    effect();
    super.save(...state);
    effect();
  }
}

const control: ControlPlane = {
  checkIn: async (known) => {
    const { revision, accounts } = JSON.parse(readFileSync(join(server, 'desired.json'), 'utf8')) as CheckIn;
    return { revision, checkInSeconds: 1, accounts: known === revision ? null : accounts, offlineAccess: null };
  },
  report: (revision, reports) =>
    around(async () => {
      for (const report of reports) appendFileSync(join(server, 'reports.jsonl'), `${JSON.stringify(report)}\n`);
      return revision;
    }),
  reportStrays: () => Promise.resolve(),
  reportOfflineLogins: () => Promise.resolve(),
  startLogin: () => Promise.reject(new Error('not here')),
  loginState: () => Promise.resolve(null),
  cancelLogin: () => Promise.resolve(false),
  submitCode: () => Promise.reject(new Error('not here')),
  async *nudges() {
    // Checks in each second instead.
  },
};

makePrivateFolder(stateFolder);
const keys = await generateHpkeKeyPair();
const log = createLog('agent', 'silent');
const daemon = new Daemon({
  control,
  driver: new LinuxDriver({ root, run: (tool, args, input) => around(() => runInNamespace(tool, args, input)) }),
  store: new KillableStore(stateFolder, () => undefined),
  clock: linuxClock,
  log,
  generatePassword,
  stateFolder,
  root,
  offline: new OfflineChecker({ store: new OfflineStore(stateFolder, keys), keys, deviceId: 'd', clock: linuxClock, log }),
  laps: { run: () => Promise.resolve(true) },
  codePage: 'https://stint.example/app/offline#d',
});
await daemon.start();
