import { describe, test } from '@jest/globals';
import { runInNamespace } from '../accounts/tool-runner.ts';
import { checkOrders } from '../testing/laps-orders.ts';
import { MemoryVault } from '../testing/memory-vault.ts';
import { describeWithRealTools } from '../testing/private-machine.ts';
import { quickTools } from '../testing/quick-tools.ts';

// With the tests' own vault; the real one is put through the same orders in e2e/src/laps-crash.e2e-spec.ts.
const vault = () => MemoryVault.make();

describe('the password that is revealed opens the account', () => {
  test(
    'after 2,000 random orders of crashes, lost calls, other hands and snapshots',
    () => checkOrders({ runs: 2000, atOnce: 8, tools: quickTools, vault }),
    300_000,
  );
});

describeWithRealTools('the password that is revealed opens the account, with the real account tools', () => {
  test('after 60 such orders', () => checkOrders({ runs: 60, atOnce: 8, tools: () => runInNamespace, vault }), 300_000);
});
