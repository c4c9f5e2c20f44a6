// What every rule about imports needs: each place where a file names another module, whichever way it is written.

/**
 * An ESLint visitor that calls `visit({ node, source, names })` for import, export … from, import() and require().
 * `names` are the imported names; null when the whole module comes in.
 */
export function visitImports(visit) {
  const literal = (node, source, names) => {
    if (source?.type === 'Literal' && typeof source.value === 'string') visit({ node, source: source.value, names });
  };
  return {
    ImportDeclaration(node) {
      const whole = node.specifiers.some((specifier) => specifier.type !== 'ImportSpecifier');
      literal(node, node.source, whole ? null : node.specifiers.map((specifier) => specifier.imported.name ?? specifier.imported.value));
    },
    ExportNamedDeclaration(node) {
      literal(
        node,
        node.source,
        node.specifiers.map((specifier) => specifier.local.name ?? specifier.local.value),
      );
    },
    ExportAllDeclaration: (node) => literal(node, node.source, null),
    ImportExpression: (node) => literal(node, node.source, null),
    TSImportType: (node) => literal(node, node.source ?? node.argument?.literal, null),
    'CallExpression[callee.name="require"]': (node) => literal(node, node.arguments[0], null),
  };
}

/** `pg` matches pg and pg/lib/x; `@hpke/*` matches all packages of a scope. */
export function isPackage(source, pattern) {
  if (pattern.endsWith('*')) return source.startsWith(pattern.slice(0, -1));
  return source === pattern || source.startsWith(`${pattern}/`);
}
