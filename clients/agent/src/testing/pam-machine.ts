// A computer with the PAM package installed: run by pam.int-spec.ts as root in namespaces of its own, in which /etc, /usr,
// /var and /home are copies. Installs the package with dpkg, runs the agent on the real driver, a real sshd, and real
// programs at terminals. Writes what each scenario saw as JSON. Arguments: the package, the file to write, the only scenario (all). The agent logs to stdout.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { eventually, freePort, PtyTerminal } from '@stint/testing';
import { commonFiles, PamComputer, sh, shadow, startAgent, workerPassword, workerUid } from './pam-computer.ts';
import { scenarios } from './pam-scenarios.ts';

const [, , deb = '', resultFile = '', only] = process.argv;

const machine = new PamComputer();
const seen: Record<string, unknown> = {};
async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  seen[name] = await work().catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
    terminals: PtyTerminal.opened.splice(0).map(({ shown }) => shown.slice(-600)),
  }));
  PtyTerminal.opened.length = 0;
  process.stderr.write(`${name}: ${Math.round(performance.now() - began)} ms\n`);
}

const pamBefore = commonFiles();
await step('installed', async () => {
  sh(`useradd -m -u ${workerUid} -s /bin/bash worker`);
  execFileSync('chpasswd', [], { input: `worker:${workerPassword}\n` });
  sh(`DEBIAN_FRONTEND=noninteractive dpkg -i ${deb} 2>&1`);
  sh(`DEBIAN_FRONTEND=noninteractive dpkg -i ${deb} 2>&1`);
  sh('visudo -c');
  const [name, , , , , home, shell] = sh('getent passwd stint').trim().split(':');
  return {
    name,
    home,
    shell,
    system: Number(sh('id -u stint')) < 1000,
    password: shadow('stint')?.[1],
    lines: ['auth', 'session', 'session-noninteractive', 'account', 'password'].map((file) =>
      Number(sh(`grep -c pam_stint /etc/pam.d/common-${file} || true`)),
    ),
  };
});
sh('ssh-keygen -A');
machine.port = await freePort();
machine.sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-p', String(machine.port), '-o', 'ListenAddress=127.0.0.1'], { stdio: 'inherit' });
await eventually(() => sh(`ssh-keyscan -p ${machine.port} 127.0.0.1`));
machine.agent = await startAgent(machine.server);
for (const [name, scenario] of Object.entries(scenarios))
  if (only === undefined || only === name) await step(name, () => scenario(machine));
await machine.agent?.close();
machine.sshd.kill();
await step('removed', async () => {
  sh(`DEBIAN_FRONTEND=noninteractive dpkg --purge stint-pam 2>&1`);
  return {
    pamAsBefore: commonFiles().every((text, index) => text === pamBefore[index]),
    account: sh('getent passwd stint || true'),
    files: ['/etc/sudoers.d/stint-entry', '/etc/ssh/sshd_config.d/stint.conf', '/usr/lib/stint'].filter((file) => existsSync(file)),
  };
});
writeFileSync(resultFile, JSON.stringify(seen));
process.exit(0);
