// How files and folders are called.
import { relative } from 'node:path';

const kebabLayer = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*){0,2}\.(ts|tsx|mjs)$/;
const sayNothing = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'lib']);

export const fileName = {
  meta: {
    type: 'suggestion',
    docs: { description: 'files are kebab-case.layer.ts in folders that say what is in them' },
    schema: [],
    messages: {
      kebab: '"{{name}}" is not kebab-case.layer.ts (for example login-request.domain.ts).',
      nothing: '"{{name}}" says nothing. Name the file or folder after its subject.',
    },
  },
  create(context) {
    return {
      Program(node) {
        const parts = relative(context.cwd, context.filename).split('/');
        const name = parts.pop();
        if (!kebabLayer.test(name)) context.report({ node, messageId: 'kebab', data: { name } });
        for (const part of [...parts, name.split('.')[0]]) {
          if (sayNothing.has(part)) context.report({ node, messageId: 'nothing', data: { name: part } });
        }
      },
    };
  },
};
