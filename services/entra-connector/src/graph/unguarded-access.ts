import { EntraAccess } from './directory.port.ts';

/**
 * The same way without the guard: for `src/break-glass`, which alone may set passwords of break-glass accounts, and reads them only
 * besides. Lint keeps everybody else out (tools/lint/doors.mjs).
 */
export abstract class UnguardedEntraAccess extends EntraAccess {}
