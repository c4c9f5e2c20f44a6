#!/usr/bin/env node
import open from 'open';
import { run } from './run.ts';

// "stint audit list … | head" closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  openBrowser: (address) => open(address),
});
