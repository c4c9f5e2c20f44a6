// An exported function or class of a library carries one TSDoc sentence: what it does, units, errors, source.
export const libraryDoc = {
  meta: {
    type: 'suggestion',
    docs: { description: 'exported functions and classes of libraries are documented' },
    schema: [],
    messages: {
      missing: 'Exported "{{name}}" needs a TSDoc sentence (/** … */): what it does, with units, errors and source where they matter.',
    },
  },
  create(context) {
    return {
      'ExportNamedDeclaration > :matches(FunctionDeclaration, ClassDeclaration)'(node) {
        const first = node.decorators?.[0] ?? node.parent;
        const comment = context.sourceCode.getCommentsBefore(first).at(-1) ?? context.sourceCode.getCommentsBefore(node.parent).at(-1);
        // Of an overloaded function the first signature carries the sentence.
        const earlier = node.parent.parent.body.some(
          (other) =>
            other.type === 'ExportNamedDeclaration' &&
            other.declaration?.type === 'TSDeclareFunction' &&
            other.declaration.id?.name === node.id?.name,
        );
        if (earlier || (comment?.type === 'Block' && comment.value.startsWith('*'))) return;
        context.report({ node: node.id ?? node, messageId: 'missing', data: { name: node.id?.name ?? '' } });
      },
    };
  },
};
