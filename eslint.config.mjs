import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { boundaries } from './tools/lint/boundaries.mjs';
import { stint } from './tools/lint/plugin.mjs';

// @nx/enforce-module-boundaries reads the project graph from Nx's cache, and skips itself where there is none. Run by Nx it is
// there; run directly, in an editor or a fresh clone, it is made anew.
if (process.env.NX_TASK_TARGET_PROJECT === undefined) await createProjectGraphAsync({ exitOnError: true });

// *.support.ts and a package's src/testing are code that only specs import.
const specs = ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts', '**/*.support.ts', '*/*/src/testing/**'];

// ESLint replaces a rule's options instead of adding to them: each set of files below lists all that holds for it.
const everywhere = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of strings instead of an enum.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: a default export has as many names as importers.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Export by name: a default export has as many names as importers.' },
];
const ownTime = [
  {
    selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
    message: 'Time is a Clock: take an instant, or ask the Clock of @stint/kernel that you are given.',
  },
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Time is a Clock: take an instant, or ask the Clock of @stint/kernel that you are given.',
  },
];
const chance = [
  {
    selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
    message: 'A domain function gets randomness passed in.',
  },
  { selector: 'ImportSpecifier[imported.name=/^random/]', message: 'A domain function gets randomness passed in.' },
  { selector: 'ImportSpecifier[imported.name="newId"]', message: 'A domain function gets ids passed in.' },
];
const sleeping = [
  {
    selector: 'NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]',
    message: 'Tests do not sleep. Wait for a condition with eventually() of @stint/testing, or move a FakeClock.',
  },
  {
    selector: 'ImportDeclaration[source.value=/^(node:)?timers.promises$/]',
    message: 'Tests do not sleep. Wait for a condition with eventually() of @stint/testing, or move a FakeClock.',
  },
];
const mocking = [
  {
    selector: 'CallExpression[callee.object.name="jest"][callee.property.name=/^(mock|doMock|unstable_mockModule|spyOn)$/]',
    message: 'No mocks: call the domain directly, or use the real thing in an int-spec.',
  },
];

const files = (patterns, rules, more = {}) => ({ files: patterns, rules, ...more });
const syntax = (...lists) => ({ 'no-restricted-syntax': ['error', ...lists.flat()] });

export default tseslint.config(
  { ignores: ['**/dist/', '**/generated/', '**/node_modules/', '.nx/', '.stint/', 'coverage/', 'tools/lint-fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs'],
    extends: [tseslint.configs.recommended],
    plugins: { '@nx': nx, stint },
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-console': 'off',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'stint/door': 'error',
      'stint/file-name': 'error',
      'stint/layer': 'error',
      ...syntax(everywhere),
    },
  },
  // Tools that insist on a default export.
  files(['*.config.mjs', 'tools/jest/*.mjs'], { 'no-restricted-syntax': 'off', 'no-console': 'off' }),
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.spec.json', './clients/console/tsconfig.json', './clients/console/worker/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-definitions': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: ['interface', 'typeAlias'], format: ['PascalCase'], custom: { regex: '^[IT][A-Z][a-z]', match: false } },
        { selector: 'class', format: ['PascalCase'] },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@nx/enforce-module-boundaries': ['error', boundaries({ specs: false })],
    },
  },
  files(['{libs,services}/*/src/**/*.ts', 'gateway/src/**/*.ts'], { 'no-console': 'error' }),
  files(
    ['{libs,services,clients,deploy}/*/src/**/*.{ts,tsx}', '{gateway,e2e}/src/**/*.ts'],
    { 'max-lines': ['error', 350] },
    { ignores: specs },
  ),
  files(['libs/*/src/**/*.ts'], { 'stint/library-doc': 'error' }, { ignores: specs }),
  files(['{libs,services}/*/src/**/*.ts', 'gateway/src/**/*.ts'], syntax(everywhere, ownTime), {
    ignores: [...specs, 'libs/kernel/src/clock.ts', 'libs/testing/**'],
  }),
  files(['**/*.domain.ts'], syntax(everywhere, ownTime, chance)),
  files(specs, {
    '@typescript-eslint/no-non-null-assertion': 'off',
    ...syntax(everywhere, sleeping, mocking),
    '@nx/enforce-module-boundaries': ['error', boundaries({ specs: true })],
  }),
);
