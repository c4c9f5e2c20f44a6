import { availableParallelism } from 'node:os';

export default {
  testMatch: [
    '<rootDir>/{libs,services,clients,deploy,e2e}/**/*.{spec,int-spec,e2e-spec}.ts',
    '<rootDir>/{gateway,tools}/**/*.{spec,int-spec}.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/.*/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/(libs|services|clients|deploy)/[^/]+/dist/', '<rootDir>/(gateway|e2e)/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  // Tests run on the packages' sources, not on what was built.
  testEnvironmentOptions: { customExportConditions: ['@stint/source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/tools/jest-postgres.setup.mjs',
  globalTeardown: '<rootDir>/tools/jest-postgres.teardown.mjs',
  // Ends what hangs, not what is slow.
  testTimeout: 180_000,
  // Many tests wait for processes more than they compute: two at a time even on two cores.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
