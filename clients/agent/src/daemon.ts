import type { Socket } from 'node:net';
import type { Logger } from '@stint/host';
import type { AccountDriver } from './accounts/account-driver.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { Synchronizer } from './control-plane/synchronizer.ts';
import { remainingMs } from './deadline/deadline.domain.ts';
import type { DeviceClock } from './deadline/device-clock.ts';
import { Reconciler } from './desired-state/reconciler.ts';
import type { LapsKeeper } from './laps/laps-keeper.ts';
import { Latch } from './latch.ts';
import { LoginDesk } from './login/login-desk.ts';
import { OfflineDesk } from './login/offline-desk.ts';
import { terminalRequest, type AgentEvent } from './login/protocol.ts';
import { jsonLines, listenForTerminals, listenInFolder, type LineConnection } from './login/socket.ts';
import type { OfflineChecker } from './offline/offline-checker.ts';
import { PamDesk } from './pam/pam-desk.ts';
import { processesOf } from './processes/user-processes.ts';
import { SessionWarnings } from './sessions/session-warnings.ts';
import { Sessions } from './sessions/sessions.ts';
import { Memory } from './state/memory.ts';
import type { StateStore } from './state/state-store.ts';

export interface DaemonOptions {
  control: ControlPlane;
  driver: AccountDriver;
  store: StateStore;
  clock: DeviceClock;
  log: Logger;
  generatePassword: (length: number) => string;
  /** The folder of the agent's socket. */
  stateFolder: string;
  /** The private root that the driver works on, told to terminals; null on the real system. */
  root: string | null;
  /** Who may log in without the server. */
  offline: OfflineChecker;
  /** Keeps the break-glass accounts. */
  laps: Pick<LapsKeeper, 'run'>;
  /** The address at which a technician's phone makes the code for this computer, without network too. */
  codePage: string;
}

const busyTickMs = 1_000;
const idleTickMs = 15_000;
const longestBackoffMs = 60_000;
/** How often the vault is asked without a nudge. */
const lapsEveryMs = 300_000;

/** The running agent. Its loops never wait for each other: what must end, ends without the network. */
export class Daemon {
  readonly #o: DaemonOptions;
  readonly #memory: Memory;
  readonly #reconciler: Reconciler;
  readonly #synchronizer: Synchronizer;
  readonly #desk: LoginDesk;
  readonly #sessions: Sessions;
  readonly #warnings: SessionWarnings;
  readonly #stopping = new AbortController();
  readonly #enforce = new Latch();
  readonly #checkIn = new Latch();
  readonly #look = new Latch();
  readonly #laps = new Latch();

  constructor(options: DaemonOptions) {
    this.#o = options;
    const { control, driver, store, clock, log, generatePassword, root, offline, codePage } = options;
    const memory = (this.#memory = new Memory(store));
    // Numbers of accounts on a private root belong to other people outside of it.
    const sessions = (this.#sessions = new Sessions({ memory, clock, processesOf: root === null ? processesOf : () => [] }));
    this.#reconciler = new Reconciler({
      driver,
      memory,
      clock,
      log,
      sessions,
      generatePassword,
      events: {
        activated: (held, verified) => this.#desk.activated(held, verified),
        ended: (held) => this.#desk.ended(held),
      },
    });
    this.#warnings = new SessionWarnings({
      memory,
      clock,
      sessions,
      warned: (held, secondsLeft, message) => this.#desk.warned(held, secondsLeft, message),
    });
    this.#synchronizer = new Synchronizer({ control, memory, clock, reconciler: this.#reconciler, offline, log });
    this.#desk = new LoginDesk({
      control,
      memory,
      clock,
      log,
      root,
      offline: new OfflineDesk({
        checker: offline,
        codePage,
        memory,
        clock,
        log,
        begin: () => {
          this.#enforce.raise();
          this.#checkIn.raise();
        },
      }),
      checkIn: () => this.#checkIn.raise(),
      watch: () => this.#look.raise(),
      idleSeconds: (grant) => sessions.idleSeconds(grant),
      end: async ({ account, grant }, reason) => {
        await this.#reconciler.end(account.accountId, grant.grantId, reason);
        this.#enforce.raise();
        this.#checkIn.raise();
      },
    });
  }

  /** Runs until `close`. Resolves when terminals are served and what had ended while the agent was off is disabled. */
  async start(): Promise<{ close(): Promise<void> }> {
    const { log, stateFolder } = this.#o;
    const sockets = new Set<Socket>();
    const welcome = (serve: (socket: Socket) => void) => (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket);
    };
    const servers = [
      await listenForTerminals(
        stateFolder,
        welcome((socket) => this.#serve(socket)),
      ),
    ];
    // Accounts of a private root are not in the system's own files, where PAM looks.
    if (this.#o.root === null) {
      const pam = new PamDesk({ visit: (terminal) => this.#desk.visitor(terminal), log });
      servers.push(
        await listenInFolder(
          stateFolder,
          'pam.sock',
          welcome((socket) => pam.serve(socket)),
        ),
      );
    }
    await this.#reconciler
      .run()
      .catch((error: unknown) => log.error({ detail: said(error) }, 'Accounts could not be checked at start. Trying again.'));
    const loops = [this.#enforcement(), this.#synchronization(), this.#nudges(), this.#logins(), this.#breakGlass()];
    return {
      close: async () => {
        this.#stopping.abort();
        for (const latch of [this.#enforce, this.#checkIn, this.#look, this.#laps]) latch.raise();
        for (const server of servers) server.close();
        for (const socket of sockets) socket.destroy();
        await Promise.all(loops);
      },
    };
  }

  /** Ends what is over, offline too, and puts right what was changed; every second while a session runs, also right after a suspend. */
  async #enforcement(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const told = JSON.stringify(this.#memory.state.reports.at(-1));
      this.#sessions.look();
      const settled = await this.#reconciler.run().catch((error: unknown) => {
        this.#o.log.error({ detail: said(error) }, 'Accounts could not be checked. Trying again.');
        return false;
      });
      this.#warnings.run();
      this.#o.offline.look();
      // Not their number: while these were made, others may have been handed over.
      const last = JSON.stringify(this.#memory.state.reports.at(-1));
      if (last !== undefined && last !== told) this.#checkIn.raise();
      await this.#enforce.wait(this.#untilNextLook(settled));
    }
  }

  async #synchronization(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        await this.#synchronizer.run();
        failures = 0;
        this.#enforce.raise();
      } catch (error) {
        if (failures++ === 0) this.#o.log.warn({ detail: said(error) }, 'The server cannot be reached. Sessions end on time all the same.');
      }
      const seconds = this.#memory.state.checkInSeconds;
      // Jittered, so that a thousand agents do not come back in the same second.
      await this.#checkIn.wait(
        failures > 0
          ? Math.random() * Math.min(1000 * 2 ** Math.min(failures, 10), longestBackoffMs)
          : seconds * 1000 * (0.8 + 0.4 * Math.random()),
      );
    }
  }

  async #nudges(): Promise<void> {
    const { signal } = this.#stopping;
    const pause = new Latch();
    signal.addEventListener('abort', () => pause.raise(), { once: true });
    while (!signal.aborted) {
      try {
        for await (const _ of this.#o.control.nudges(signal)) {
          this.#checkIn.raise();
          this.#look.raise();
          this.#laps.raise();
        }
      } catch (error) {
        if (!signal.aborted)
          this.#o.log.error({ detail: said(error) }, 'The server refuses this device. Running sessions still end on time.');
      }
      if (!signal.aborted) await pause.wait(longestBackoffMs);
    }
  }

  /** Break-glass accounts: apart from the sessions, which must not wait for them, nor for the vault. */
  async #breakGlass(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        failures = (await this.#o.laps.run()) ? 0 : failures + 1;
      } catch (error) {
        if (failures++ === 0) this.#o.log.warn({ detail: said(error) }, 'The vault cannot be reached. Passwords stay as they are.');
      }
      const pause = failures > 0 ? Math.min(1000 * 2 ** Math.min(failures, 10), longestBackoffMs) : lapsEveryMs;
      await this.#laps.wait(pause * (0.8 + 0.4 * Math.random()));
    }
  }

  /** Terminals and sessions that ended; logins that were decided. */
  async #logins(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#desk
        .watch()
        .catch((error: unknown) => this.#o.log.error({ detail: said(error) }, 'Logins could not be looked after. Trying again.'));
      await this.#look.wait(Object.keys(this.#memory.state.logins).length > 0 ? busyTickMs : idleTickMs);
    }
  }

  #serve(socket: Socket): void {
    const visitor = this.#desk.visitor({ send: (event) => connection.send(event), close: () => connection.close() });
    const connection: LineConnection<AgentEvent> = jsonLines(socket, terminalRequest, visitor);
  }

  #untilNextLook(settled: boolean): number {
    const now = this.#o.clock.read();
    const live = this.#memory
      .grants()
      .flatMap(({ grant: { phase, deadline } }) =>
        (phase === 'ACTIVE' || phase === 'ENABLING') && deadline ? [remainingMs(deadline, now)] : [],
      );
    if (live.length === 0) return settled ? idleTickMs : busyTickMs;
    return Math.min(busyTickMs, Math.max(5, Math.min(...live) + 1));
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
