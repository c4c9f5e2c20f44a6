import { loadConfig, runProcess } from '@stint/host';
import { jitPolicyConfig } from './config.ts';
import { startJitPolicy } from './start.ts';

await runProcess(async () => startJitPolicy(loadConfig(jitPolicyConfig, process.env)));
