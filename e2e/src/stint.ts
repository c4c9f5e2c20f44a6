import { readFileSync } from 'node:fs';
import {
  computerFolders,
  DemoAuditDocument,
  DemoGrantDocument,
  enrollComputer,
  entraOffer,
  EntraRequest,
  entraRole,
  LoginAtComputer,
  Phone,
  seed,
  seedWithEntra,
  startComputer,
  startStack,
  type RunningComputer,
  type Seeded,
} from '@stint/embedded';
import type { EntraTenant } from '@stint/graph-emulator';
import type { Running } from '@stint/host';
import type { StintClient } from '@stint/sdk';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { createInstallation, type Installation } from './installation.ts';
import { Processes } from './processes.ts';
import { ask } from './sign-in-world.ts';

/** A whole Stint with people, a customer and an enrolled computer, as the tests of the promises use it. */
export class Stint {
  readonly installation: Installation;
  readonly world: Seeded;
  readonly phone: Phone;
  readonly administrator: StintClient;
  /** Each service a process of its own; null when all run in the test's process. */
  readonly processes: Processes | null;
  readonly #entraTenantId: string | null;
  #computer: RunningComputer | null = null;
  readonly #stack: Running | null;

  private constructor(parts: {
    installation: Installation;
    world: Seeded;
    entraTenantId: string | null;
    processes: Processes | null;
    stack: Running | null;
  }) {
    this.installation = parts.installation;
    this.world = parts.world;
    this.processes = parts.processes;
    this.#entraTenantId = parts.entraTenantId;
    this.#stack = parts.stack;
    this.phone = new Phone(parts.world.technician, parts.world.totpUri);
    this.administrator = parts.world.administrator.client;
  }

  /** `entra`: with the customer's Entra tenant connected instead of a computer enrolled. */
  static async start(options: { processes: boolean; queueUrl?: string; entra?: boolean }): Promise<Stint> {
    const installation = await createInstallation(options);
    let processes: Processes | null = null;
    let stack: Running | null = null;
    let link = '';
    if (options.processes) {
      processes = new Processes(installation);
      await processes.startAll();
      link = processes.firstLink;
    } else {
      stack = await startStack(installation.environments, { onFirstLink: (first) => (link = first) });
    }
    const { url, directory, graph } = installation;
    if (options.entra === true) {
      const { entra, ...world } = await seedWithEntra(url, link, graph);
      return new Stint({ installation, world, entraTenantId: entra.entraTenantId, processes, stack });
    }
    const world = await seed(url, link);
    await enrollComputer(directory, url, world.enrollmentToken);
    const stint = new Stint({ installation, world, entraTenantId: null, processes, stack });
    await stint.startComputer();
    return stint;
  }

  /** The customer's Entra tenant, as it is. */
  get entra(): EntraTenant {
    if (this.#entraTenantId === null) throw new Error('Not connected to Entra.');
    return this.installation.graph.tenant({ id: this.#entraTenantId });
  }

  /** What there is in Entra of accounts that Stint made: roles, passes, and that one is enabled. */
  accessInEntra(): string[] {
    const ours = this.entra.users().filter(({ employeeId }) => employeeId !== null);
    return ours.flatMap(({ id, accountEnabled }) => [
      ...this.entra.roleAssignments(id).map(({ roleName }) => roleName),
      ...(accountEnabled ? ['enabled'] : []),
      ...this.entra.passes(id).map(() => 'a pass'),
    ]);
  }

  /** The technician asks for the role that the rule allows, as in a browser. */
  async requestRole(): Promise<EntraRequest> {
    const { technician, tenantId } = this.world;
    return EntraRequest.make(technician, await entraOffer(technician, tenantId, entraRole), 'Locked out');
  }

  async startComputer(): Promise<void> {
    this.#computer = await startComputer(this.installation.directory);
  }

  /** SIGKILL. */
  async killComputer(): Promise<void> {
    this.#computer?.process.kill('SIGKILL');
    await this.#computer?.stop();
    this.#computer = null;
  }

  /** Somebody asks for access at the computer. */
  login(args: readonly string[]): LoginAtComputer {
    return new LoginAtComputer({ ...computerFolders(this.installation.directory), args });
  }

  /** What the computer's own account files say of an account. */
  account(name: string): 'enabled' | 'disabled' | 'absent' {
    const etc = `${computerFolders(this.installation.directory).root}/etc`;
    const shadow = lines(`${etc}/shadow`).find(([first]) => first === name);
    if (shadow === undefined) return 'absent';
    const administrator = lines(`${etc}/group`).some(
      ([group, , , members]) => (group === 'sudo' || group === 'wheel') && members?.split(',').includes(name) === true,
    );
    return shadow[1]?.startsWith('$') === true && administrator ? 'enabled' : 'disabled';
  }

  /** What the administrator changes, by a mutation with one input; answers which type of result it gave, and a problem's words. */
  async change(mutation: string, input: object): Promise<Record<string, unknown>> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
    const query = `mutation ($input: ${type}) { answer: ${mutation}(input: $input) { __typename ... on Problem { message } } }`;
    const { answer } = await ask(this.administrator, query, { input });
    return answer ?? {};
  }

  /** From now on only members of a new group get access in the customer's tenant, this one technician at first; answers the group's id, and how to undo it. */
  async admitOnlyGroupOf(technicianId: string): Promise<{ groupId: string; undo(): Promise<void> }> {
    const { mspId, tenantId } = this.world;
    const [groupId, rules] = [newId(), [newId(), newId()] as const];
    const kinds = ['LOCAL_ADMIN'];
    await this.change('createGroup', { id: groupId, tenantId: mspId, name: 'On call' });
    await this.change('setGroupMembers', { groupId, technicianIds: [technicianId] });
    await this.change('createAccessRule', { id: rules[0], tenantId, name: 'Nobody', effect: 'DENY', kinds });
    await this.change('createAccessRule', { id: rules[1], tenantId, name: 'On call', groups: [groupId], kinds });
    await this.drained();
    return {
      groupId,
      undo: async () => {
        for (const id of rules) await this.change('removeAccessRule', { id });
      },
    };
  }

  async grant(id: string) {
    const { grant } = await this.phone.client.request(DemoGrantDocument, { id });
    if (grant == null) throw new Error('The grant is not known.');
    return grant;
  }

  async audit() {
    const { tenant } = await this.administrator.request(DemoAuditDocument, { tenantId: this.world.tenantId });
    if (tenant == null) throw new Error('The tenant is not known.');
    return { actions: tenant.auditLog.edges.map(({ node }) => node.action), verification: tenant.verifyAuditLog };
  }

  /** Waits until every message of every service has had its effect. */
  async drained(): Promise<void> {
    await eventually(
      async () => {
        for (const schema of ['tenants', 'jit_policy', 'laps_vault', 'entra_connector']) {
          const rows = await this.installation.database.query(`select type, target, attempts from ${schema}.outbox`);
          if (rows.length > 0) throw new Error(`${schema} has not sent ${JSON.stringify(rows)}`);
        }
      },
      { timeoutMs: 90_000 },
    );
  }

  async stop(): Promise<void> {
    await this.killComputer();
    await this.processes?.stopAll();
    await this.#stack?.close();
    await this.installation.remove();
  }
}

function lines(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
