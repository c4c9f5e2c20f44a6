import type { Csdl } from './csdl.ts';

const known = ['$select', '$filter', '$expand', '$orderby', '$top', '$skip', '$count', '$search', '$skiptoken', '$deltatoken', '$format'];

/** What is wrong with the query options of a request for things of this type. */
export function checkQuery(csdl: Csdl, type: string, query: URLSearchParams): string[] {
  const problems = [...query.keys()]
    .filter((name) => name.startsWith('$') && !known.includes(name))
    .map((name) => `there is no query option ${name}`);
  for (const name of list(query.get('$select'))) {
    if (csdl.anyMember(type, name) === undefined) problems.push(`$select: ${type} has no "${name}"`);
  }
  for (const clause of list(query.get('$expand'))) {
    const name = clause.split(/[(/]/)[0] ?? '';
    if (csdl.navigation(type, name) === undefined) problems.push(`$expand: ${type} has no navigation "${name}"`);
  }
  for (const clause of list(query.get('$orderby'))) {
    const path = clause.split(' ')[0] ?? '';
    if (!isPath(csdl, type, path)) problems.push(`$orderby: ${type} has no "${path}"`);
  }
  for (const path of filterPaths(query.get('$filter') ?? '')) {
    if (!isPath(csdl, type, path)) problems.push(`$filter: ${type} has no "${path}"`);
  }
  for (const name of ['$top', '$skip']) {
    const value = query.get(name);
    if (value !== null && !/^\d+$/.test(value)) problems.push(`${name} is no number`);
  }
  return problems;
}

const list = (value: string | null) => (value === null || value === '' ? [] : value.split(',').map((one) => one.trim()));

/** What a $filter compares: the words that are no literals, operators or functions. */
function filterPaths(filter: string): string[] {
  const words = filter.replace(/'(?:[^']|'')*'/g, "''").match(/[A-Za-z_@][\w/.]*(?=\s*\()?|\S/g) ?? [];
  const operators = /^(and|or|not|eq|ne|gt|ge|lt|le|in|has|any|all|true|false|null|startswith|endswith|contains|tolower)$/i;
  return words.filter((word) => /^[A-Za-z]/.test(word) && !operators.test(word) && !/^T\d|^Z$/.test(word));
}

function isPath(csdl: Csdl, type: string, path: string): boolean {
  let at = type;
  for (const name of path.split('/')) {
    const next = csdl.anyMember(at, name);
    if (next === undefined) return false;
    at = next.name;
  }
  return true;
}
