import { availableParallelism } from 'node:os';

export default {
  testMatch: [
    '<rootDir>/{libs,services,clients,deploy,e2e}/**/*.{spec,int-spec,e2e-spec}.ts',
    '<rootDir>/{gateway,tools}/**/*.{spec,int-spec}.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/.*/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/(libs|services|clients|deploy)/[^/]+/dist/', '<rootDir>/(gateway|e2e)/dist/'],
  // Test files of one worker share the modules that they load. `npm test` says how TypeScript is loaded.
  runner: 'jest-light-runner/child-process',
  transform: {},
  globalSetup: '<rootDir>/tools/jest/postgres.setup.mjs',
  globalTeardown: '<rootDir>/tools/jest/postgres.teardown.mjs',
  // Many tests wait for processes more than they compute: two at a time even on two cores.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
