// What a library exports carries one TSDoc sentence: what it does, units, errors, source.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const libraryDoc = {
  meta: {
    type: 'suggestion',
    docs: { description: 'functions and classes that a library exports are documented' },
    schema: [],
    messages: {
      missing: 'Exported "{{name}}" needs a TSDoc sentence (/** … */): what it does, with units, errors and source where they matter.',
    },
  },
  create(context) {
    const index = join(context.cwd, ...relative(context.cwd, context.filename).split('/').slice(0, 3), 'index.ts');
    const exported = new Set(existsSync(index) ? readFileSync(index, 'utf8').match(/\w+/g) : []);
    return {
      'ExportNamedDeclaration > :matches(FunctionDeclaration, ClassDeclaration)'(node) {
        const name = node.id?.name;
        if (name === undefined || !exported.has(name)) return;
        // A class's comment stands before its decorators; an overloaded function's before its first signature.
        const places = [node.decorators?.[0], node.parent, ...signatures(node)].filter((place) => place !== undefined);
        const comments = places.flatMap((place) => context.sourceCode.getCommentsBefore(place));
        if (comments.some(({ type, value }) => type === 'Block' && value.startsWith('*'))) return;
        context.report({ node: node.id, messageId: 'missing', data: { name } });
      },
    };
  },
};

function signatures(node) {
  return node.parent.parent.body.filter(
    ({ type, declaration }) =>
      type === 'ExportNamedDeclaration' && declaration?.type === 'TSDeclareFunction' && declaration.id?.name === node.id.name,
  );
}
