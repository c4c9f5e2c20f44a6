import { DirectoryError } from './directory-error.ts';
import type { EntraDirectory } from './directory.port.ts';

/**
 * The directory, if object ids that were kept of `entraTenantId` (null: not known) count in it. `DirectoryError` OTHER_TENANT when
 * another Entra tenant is connected by now, in which they are nobody's: `what` they are of, and what to do, for the one who reads it.
 */
export function sameTenant(
  directory: EntraDirectory,
  entraTenantId: string | null,
  what: { is: string; whatToDo: string },
): EntraDirectory {
  const connected = directory.entraTenantId;
  if (entraTenantId === null || entraTenantId === connected) return directory;
  const message = `${what.is} in the Entra tenant ${entraTenantId}, and ${connected} is connected now. Nothing is done. Connect the former one again, or ${what.whatToDo}.`;
  throw new DirectoryError({ kind: 'OTHER_TENANT', message });
}
