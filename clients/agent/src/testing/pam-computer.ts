import { execFileSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { generateHpkeKeyPair, generatePassword, newTotpSeed, sealTo, totpCode, totpStep } from '@stint/crypto';
import { createLog } from '@stint/host';
import { newId } from '@stint/kernel';
import { eventually, PtyTerminal } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { Daemon } from '../daemon.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import type { DesiredGrant } from '../desired-state/desired-account.ts';
import { OfflineChecker, offlineSecretAad, offlineSecretInfo } from '../offline/offline-checker.ts';
import { OfflineStore } from '../offline/offline-store.ts';
import { makePrivateFolder } from '../state/durable-file.ts';
import { FileStateStore } from '../state/state-store.ts';
import { testDeviceId } from './agent-under-test.ts';
import { aDesiredAccount, MemoryControlPlane } from './memory.control-plane.ts';

const stateFolder = '/var/lib/stint-agent';
const keys = await generateHpkeKeyPair();
const sshOptions = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'PubkeyAuthentication=no']
  .map((option) => `-o ${option}`)
  .join(' ');
export const workerUid = 1_900;
export const workerPassword = generatePassword(24);

export const sh = (script: string) => execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
export const commonFiles = () =>
  ['auth', 'account', 'session', 'session-noninteractive', 'password'].map((name) => readFileSync(`/etc/pam.d/common-${name}`, 'utf8'));
export const shadow = (name: string) =>
  readFileSync('/etc/shadow', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
/** What the system's own files say of an account. */
export const stored = (name: string) => {
  const line = shadow(name);
  return (
    line && {
      locked: line[1]?.startsWith('!'),
      expired: line[7] === '1',
      admin: /^(sudo|wheel):.*[:,]NAME(,|$)/m.test(readFileSync('/etc/group', 'utf8').replaceAll(name, 'NAME')),
    }
  );
};

export async function startAgent(server: MemoryControlPlane): Promise<{ close(): Promise<void> }> {
  makePrivateFolder(stateFolder);
  const log = createLog('agent', 'debug');
  return new Daemon({
    control: server,
    driver: new LinuxDriver(),
    store: new FileStateStore(stateFolder, () => undefined),
    clock: linuxClock,
    log,
    generatePassword,
    stateFolder,
    root: null,
    offline: new OfflineChecker({ store: new OfflineStore(stateFolder, keys), keys, deviceId: testDeviceId, clock: linuxClock, log }),
    laps: { run: () => Promise.resolve(true) },
    codePage: `https://stint.example/app/offline#${testDeviceId}`,
  }).start();
}
/** The end of the question at which a login waits. */
export const ready = 'then press Enter.';

export type Scenario = (computer: PamComputer) => Promise<Record<string, unknown>>;

/** A computer with an agent, an sshd and an ordinary user, "worker". Only inside of namespaces of its own. */
export class PamComputer {
  server = new MemoryControlPlane();
  port = 0;
  sshd: ChildProcess | undefined;
  agent: { close(): Promise<void> } | undefined;
  readonly #seen = new Set<string>();

  /** The login that was started since the last one was asked for. */
  async login(): Promise<string> {
    return eventually(() => {
      const id = [...this.server.logins.keys()].find((each) => !this.#seen.has(each));
      if (id === undefined) throw new Error('No login was started.');
      this.#seen.add(id);
      return id;
    });
  }

  get logins(): number {
    return this.server.logins.size;
  }

  ssh(rest = '', user = 'stint'): PtyTerminal {
    return new PtyTerminal(`ssh ${sshOptions} -p ${this.port} ${user}@127.0.0.1 ${rest}`);
  }

  sftp(): PtyTerminal {
    return new PtyTerminal(`sftp ${sshOptions} -P ${this.port} stint@127.0.0.1`);
  }

  /** Nobody asks for the logins of now any more. */
  seen(): void {
    for (const id of this.server.logins.keys()) this.#seen.add(id);
  }

  worker(command: string): PtyTerminal {
    return new PtyTerminal(command, { uid: workerUid });
  }

  approve(login: string, name: string, grant: Partial<DesiredGrant> = {}): string {
    const id = newId();
    this.server.approve(login, aDesiredAccount({ id, name, displayName: 'Anna Berg', ...grant, grantId: newId() }));
    return id;
  }

  /** Waits until the agent has reported that the access is over, and why. */
  async over(accountId: string): Promise<string | null | undefined> {
    return eventually(() => {
      const report = this.server.reported(accountId).find(({ state }) => state === 'DISABLED');
      if (!report) throw new Error('The end was not reported.');
      return report.endReason;
    });
  }

  /** The server prepares a technician for offline logins, who is then asked for a reason; returns the account and the code of now. */
  async prepareOffline(email: string, accountName: string): Promise<{ accountId: string; code: string }> {
    const [technicianId, accountId, seed] = [newId(), newId(), newTotpSeed()];
    const to = { publicKey: keys.publicKey, info: offlineSecretInfo, aad: offlineSecretAad(testDeviceId, technicianId) };
    this.server.offlineAccess = [
      {
        technicianId,
        email,
        displayName: 'Anna Berg',
        accountId,
        accountName,
        sessionSeconds: 3600,
        idleEndSeconds: null,
        validUntilMs: Date.now() + 86_400_000,
        requireReason: true,
        requireTicket: false,
        sealedSecret: await sealTo(to, seed),
      },
    ];
    this.server.want();
    await eventually(() => {
      if (!readFileSync(`${stateFolder}/offline.json`, 'utf8').includes(technicianId)) throw new Error('not prepared');
    });
    return { accountId, code: totpCode(seed, totpStep(new Date())) };
  }

  /** One line to the agent as the module would say it, and the agent's answer. */
  async raw(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(`${stateFolder}/pam.sock`);
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.once('error', reject);
      socket.once('close', () => resolve(answer.trim()));
      socket.write(`${line}\n`);
    });
  }
}
