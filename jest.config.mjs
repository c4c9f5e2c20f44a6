export default {
  testMatch: ['<rootDir>/{libs,services,clients,deploy,e2e}/**/*.{spec,int-spec,e2e-spec}.ts', '<rootDir>/{gateway,tools}/**/*.{spec,int-spec}.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  testEnvironmentOptions: { customExportConditions: ['@stint/source', 'node', 'node-addons'] },
};
