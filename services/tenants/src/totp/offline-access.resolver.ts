import { Context, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Sealed } from '@stint/crypto';
import { callerActor, Can, perRequest, type RequestContext } from '@stint/subgraph';
import { OfflineSecretService } from './offline-secret.service.ts';

interface Reference {
  deviceId: string;
  technicianId: string;
}

/** The secret in what services/jit-policy prepares for a device. */
@Resolver('OfflineAccess')
export class OfflineAccessResolver {
  constructor(private readonly secrets: OfflineSecretService) {}

  @ResolveReference()
  @Can('device')
  resolveReference({ deviceId, technicianId }: Reference) {
    return { __typename: 'OfflineAccess' as const, deviceId, technicianId };
  }

  @ResolveField()
  sealedSecret(@Parent() { deviceId, technicianId }: Reference, @Context() context: RequestContext): Promise<Sealed | null> {
    const device = callerActor(context.principal);
    if (device.kind !== 'device' || device.id !== deviceId) return Promise.resolve(null);
    const loader = perRequest(
      context,
      'offline secrets',
      () =>
        new DataLoader<string, Sealed | null>(
          async (ids) => {
            const secrets = await this.secrets.forDevice(device, ids);
            return ids.map((id) => secrets.get(id) ?? null);
          },
          { maxBatchSize: 200 },
        ),
    );
    return loader.load(technicianId);
  }
}
