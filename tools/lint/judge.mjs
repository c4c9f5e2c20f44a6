// Lints every fixture and prints what was found, as JSON: { file: [{ rule, message }] }. tools/lint.spec.ts runs it as a process of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'tools', 'lint-fixtures');

// A fixture says in its first line which file it stands for. That file need not exist, so it has no types to ask for.
const untyped = new ESLint({
  cwd: root,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parserOptions: { project: null } } }],
  ruleFilter: ({ ruleId }) => tseslint.plugin.rules[ruleId.replace('@typescript-eslint/', '')]?.meta.docs.requiresTypeChecking !== true,
});
// Without such a line it is linted where it stands, with types.
const typed = new ESLint({
  cwd: root,
  ignore: false,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parserOptions: { project: ['./tools/lint-fixtures/tsconfig.json'] } } }],
});

const found = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
  const text = readFileSync(join(folder, file), 'utf8');
  const as = /^\/\/ as: (\S+)$/m.exec(text)?.[1];
  const [result] = await (as === undefined
    ? typed.lintText(text, { filePath: join(folder, file) })
    : untyped.lintText(text, { filePath: join(root, as) }));
  found[file] = (result?.messages ?? []).map(({ ruleId, message }) => ({ rule: ruleId, message }));
}
process.stdout.write(JSON.stringify(found));
