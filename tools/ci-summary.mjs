// node tools/ci-summary.mjs <jest.json>: lists what failed and ends with "N passed, M failed" alone on a line.
// In CI a test that did not run counts as failed: nothing may be skipped there.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [file] = process.argv.slice(2);
const { passed, problems } = summarise(file, process.env.CI === 'true');
for (const problem of problems) console.log(problem);
console.log(`${passed} passed, ${problems.length} failed`);
process.exitCode = passed > 0 && problems.length === 0 ? 0 : 1;

function summarise(path, strict) {
  if (path === undefined || !existsSync(path)) return { passed: 0, problems: ['failed: the tests wrote no results'] };
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
  let passed = 0;
  const problems = [];
  for (const { name, message, assertionResults } of testResults) {
    const suite = relative(process.cwd(), name);
    // A suite that could not be loaded has no tests to count.
    if (assertionResults.length === 0)
      problems.push(`failed: ${suite} did not run: ${message.split('\n').find((line) => line.trim() !== '') ?? ''}`);
    for (const { status, ancestorTitles, title } of assertionResults) {
      const fullName = [...ancestorTitles, title].join(' ');
      if (status === 'passed') passed += 1;
      else if (status === 'failed') problems.push(`failed: ${suite}: ${fullName}`);
      else if (strict) problems.push(`skipped, which CI does not allow: ${suite}: ${fullName}`);
    }
  }
  return { passed, problems };
}
