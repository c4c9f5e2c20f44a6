export { startJitPolicy } from './start.ts';
export { jitPolicyConfig, type JitPolicyConfig } from './config.ts';
