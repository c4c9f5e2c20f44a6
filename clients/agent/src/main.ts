#!/usr/bin/env node
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createLog, runProcess } from '@stint/host';
import { Command, Option } from 'commander';
import { createPrivateRoot } from './accounts/private-root.ts';
import { startAgent } from './agent.ts';
import { readConfig, stateFolder } from './config.ts';
import { enroll } from './enrollment/enroll.ts';
import { askAgent } from './login/agent-call.ts';
import { loginAtTerminal } from './login/terminal.ts';

// Everything the agent writes is for its own user alone.
process.umask(0o077);

interface Place {
  state?: string;
  root?: string;
}

const program = new Command('stint-agent').description(
  'Stint on this computer: makes just-in-time admin accounts real, and takes them away again.',
);

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--state <dir>', 'where keys and memory are kept (default: /var/lib/stint-agent, or inside the private root)')
    .option('--root <dir>', 'work on this private copy of /etc instead of the real system');
}

command('enroll', 'Enrol this computer. May be repeated.')
  .requiredOption('--url <url>', "the gateway's public address")
  .option('--token-file <file>', 'file with the enrolment token (default: the environment variable STINT_ENROLLMENT_TOKEN)')
  .option('--host-name <name>', "the computer's name, if not its own")
  .action(async (options: Place & { url: string; tokenFile?: string; hostName?: string }) => {
    const token = options.tokenFile === undefined ? readConfig().STINT_ENROLLMENT_TOKEN : readFileSync(options.tokenFile, 'utf8').trim();
    if (!token) throw new Error('No enrolment token. Name a file with --token-file, or set STINT_ENROLLMENT_TOKEN.');
    if (options.root !== undefined && (!existsSync(options.root) || readdirSync(options.root).length === 0))
      createPrivateRoot(resolve(options.root));
    const identity = await enroll({
      url: new URL(options.url).href.replace(/\/+$/, ''),
      token,
      stateFolder: stateFolder(options),
      root: options.root === undefined ? null : resolve(options.root),
      hostName: options.hostName,
    });
    process.stdout.write(`${JSON.stringify({ deviceId: identity.deviceId, credentialId: identity.credentialId })}\n`);
  });

command('run', 'Run the agent.').action(async (options: Place) => {
  const log = createLog('agent', readConfig().LOG_LEVEL);
  await runProcess(() => startAgent({ stateFolder: stateFolder(options), root: options.root, log }));
});

command('login', 'Get access to this computer.')
  .addOption(new Option('--method <method>', 'how to prove who you are').choices(['qr', 'totp', 'push', 'offline']).default('qr'))
  .option('--email <address>', 'for totp, push and offline: your email address')
  .option('--reason <words>', 'for offline, where it is asked for')
  .option('--ticket <number>', 'for offline, where it is asked for')
  .option('--no-session', 'open no session; print what happened as one line of JSON')
  .action(
    async (
      options: Place & { method: 'qr' | 'totp' | 'push' | 'offline'; email?: string; reason?: string; ticket?: string; session: boolean },
    ) => {
      const method = ({ qr: 'QR', totp: 'TOTP', push: 'PUSH', offline: 'OFFLINE' } as const)[options.method];
      process.exit(
        await loginAtTerminal({
          stateFolder: stateFolder(options),
          method,
          email: options.email,
          reason: options.reason,
          ticket: options.ticket,
          noSession: !options.session,
          terminal: readConfig().TERM,
        }),
      );
    },
  );

command('logoff', 'End the access of an account on this computer now.')
  .argument('<account>', "the account's name")
  .action(async (account: string, options: Place) => {
    const answer = await askAgent(stateFolder(options), { op: 'logoff', account });
    if (answer.event === 'failed') throw new Error(answer.message);
    process.stdout.write(`The access of ${account} has ended.\n`);
  });

command('status', 'Show what the agent does now, as JSON.').action(async (options: Place) => {
  const { event: _, ...status } = await askAgent(stateFolder(options), { op: 'status' });
  process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
});

program
  .command('private-root')
  .description('Make a private copy of the account files for a demo computer. No real account is touched, no password is copied.')
  .argument('<dir>', 'a new folder')
  .action((folder: string) => createPrivateRoot(resolve(folder)));

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
