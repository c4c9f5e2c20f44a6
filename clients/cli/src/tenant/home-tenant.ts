import type { StintClient } from '@stint/sdk';
import type { Id } from '@stint/kernel';
import { HomeTenantDocument } from '../generated/operations.ts';
import { answered } from '../session.ts';

/** The tenant that was named, or else the one where the caller lives. */
export async function tenantOrHome(client: StintClient, named: Id | undefined): Promise<Id> {
  if (named !== undefined) return named;
  const { viewer } = await client.request(HomeTenantDocument);
  return answered(viewer.tenant, 'tenant where you live').id;
}
