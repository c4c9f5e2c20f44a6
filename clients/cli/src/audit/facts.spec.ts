import { expect, test } from '@jest/globals';
import { facts } from './facts.ts';

test.each([
  ['{}', ''],
  ['{"reason":"The \\"printer\\"","uses":3,"shared":false,"ticket":null}', 'reason="The \\"printer\\"" uses=3 shared=false ticket=null'],
  ['[1]', '[1]'],
  ['null', 'null'],
  ['not json', 'not json'],
])('%s is shown as %s', (details, shown) => expect(facts(details)).toBe(shown));
