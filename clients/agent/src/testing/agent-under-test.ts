import { makePrivateFolder } from '../state/durable-file.ts';
import { generateHpkeKeyPair, generatePassword, type HpkeKeyPair } from '@stint/crypto';
import { createLog } from '@stint/host';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import type { RunTool } from '../accounts/tool-runner.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { Daemon } from '../daemon.ts';
import { linuxClock, type DeviceClock, type Reading } from '../deadline/device-clock.ts';
import { OfflineChecker } from '../offline/offline-checker.ts';
import { OfflineStore } from '../offline/offline-store.ts';
import { FileStateStore } from '../state/state-store.ts';
import type { PrivateMachine } from './private-machine.ts';

export const testDeviceId = '019ab111-0000-7000-8000-0000000000d1';

/** The system's clocks, moved by what a test says. */
export class MovableClock implements DeviceClock {
  wallShiftMs = 0;
  bootShiftMs = 0;
  rebooted = 0;

  read(): Reading {
    const { wallMs, bootId, bootMs } = linuxClock.read();
    if (this.rebooted === 0) return { wallMs: wallMs + this.wallShiftMs, bootId, bootMs: bootMs + this.bootShiftMs };
    return { wallMs: wallMs + this.wallShiftMs, bootId: `boot-${this.rebooted}`, bootMs: 5_000 + this.bootShiftMs };
  }
}

/** Starts the whole agent on a private machine, with the real account tools and the real state file. */
export async function startAgentUnderTest(
  machine: PrivateMachine,
  control: ControlPlane,
  options: { clock?: DeviceClock; run?: RunTool; keys?: HpkeKeyPair } = {},
): Promise<{ close(): Promise<void> }> {
  makePrivateFolder(machine.stateFolder);
  const clock = options.clock ?? linuxClock;
  const log = createLog('agent', process.env['AGENT_TEST_LOG'] ?? 'silent');
  const keys = options.keys ?? (await generateHpkeKeyPair());
  const daemon = new Daemon({
    control,
    driver: new LinuxDriver({ root: machine.root, ...(options.run ? { run: options.run } : {}) }),
    store: new FileStateStore(machine.stateFolder, () => undefined),
    clock,
    log,
    generatePassword,
    stateFolder: machine.stateFolder,
    root: machine.root,
    offline: new OfflineChecker({ store: new OfflineStore(machine.stateFolder, keys), keys, deviceId: testDeviceId, clock, log }),
    laps: { run: () => Promise.resolve(true) },
    codePage: `https://stint.example/app/offline#${testDeviceId}`,
  });
  return daemon.start();
}
