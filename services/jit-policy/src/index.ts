export { startJitPolicy, type JitPolicyOptions } from './start.ts';
export { jitPolicyConfig, type JitPolicyConfig } from './config.ts';
