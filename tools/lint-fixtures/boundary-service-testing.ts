// as: services/jit-policy/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "layer:service" can only depend on
import { FakeClock } from '@stint/testing';

export const clock = new FakeClock();
