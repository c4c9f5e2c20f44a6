// What tests import from @jest/globals: the runner's own functions, which know no time limit, with one.
import { setTimeout as delay } from 'node:timers/promises';

const { expect, describe } = globalThis;
/** Ends what hangs, not what is slow. */
const limitMs = 180_000;

function limited(work, ms = limitMs) {
  return async (...given) => {
    const over = new AbortController();
    const limit = delay(ms, undefined, { signal: over.signal }).then(
      () => Promise.reject(new Error(`Not done after ${ms / 1000} s.`)),
      () => undefined,
    );
    try {
      return await Promise.race([work(...given), limit]);
    } finally {
      over.abort();
    }
  };
}

const limitedTest = (define) => (name, work, ms) => define(name, limited(work, ms), ms);
const limitedHook = (define) => (work, ms) => define(limited(work, ms), ms);

const test = limitedTest(globalThis.test);
test.each = (...table) => limitedTest(globalThis.test.each(...table));
test.skip = globalThis.test.skip;
test.only = limitedTest(globalThis.test.only);

const [beforeAll, afterAll, beforeEach, afterEach] = ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'].map((name) =>
  limitedHook(globalThis[name]),
);

export { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, test as it };
