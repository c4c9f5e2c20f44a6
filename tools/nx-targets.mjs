// The targets that Nx sees in every package: build, lint, test. One definition for all, so that no package repeats it.
import { dirname } from 'node:path';

const targets = {
  build: {
    command: 'tsc -b',
    options: { cwd: '{projectRoot}' },
    cache: true,
    dependsOn: ['^build'],
    inputs: ['code', '^code'],
    outputs: ['{projectRoot}/dist'],
  },
  lint: {
    command: 'eslint --max-warnings 0 {projectRoot}',
    cache: true,
    // Types of what a file imports decide too, hence the inputs of the packages below.
    inputs: ['default', '^code', '{workspaceRoot}/eslint.config.mjs', '{workspaceRoot}/tools/lint/**/*'],
  },
  test: {
    command: 'node tools/test.ts {projectRoot}',
    // Test runs start databases and processes: never two at once, never from the cache.
    cache: false,
    parallelism: false,
  },
};

export const createNodesV2 = [
  '{libs/*,services/*,gateway,clients/*,deploy/*,e2e}/package.json',
  (files) => files.map((file) => [file, { projects: { [dirname(file)]: { targets } } }]),
];
