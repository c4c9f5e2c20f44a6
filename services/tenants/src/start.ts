import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileKeyProvider, privateKeyFromPem } from '@stint/crypto';
import { createLog, type Running } from '@stint/host';
import { systemClock, type Clock } from '@stint/kernel';
import { connectBroadcast, Messaging } from '@stint/messaging';
import { startSubgraph } from '@stint/subgraph';
import { migrate, Tenancy } from '@stint/tenancy';
import { AppModule } from './app.module.ts';
import { auditHandlers } from './audit/audit.consumer.ts';
import { auditRetentionHandlers, AuditRetentionSweep } from './audit/audit-retention.sweep.ts';
import { auditKeyLabel } from './audit/audit.service.ts';
import type { TenantsConfig } from './config.ts';
import { DeviceRepository } from './device/device.repository.ts';
import { Presence } from './device/presence.ts';
import { identityProviderSignInSweep } from './identity-provider/identity-provider.sweep.ts';
import { passkeyChallengeSweep } from './passkey/passkey.sweep.ts';
import { PushClient } from './push/push.client.ts';
import { pushForgetSweep, pushHandlers, PushSweep } from './push/push.sweep.ts';
import { vapidKeyFromPem } from './push/vapid.ts';
import { sessionSweeps } from './session/session.sweep.ts';
import { JoiningService } from './technician/joining.service.ts';
import { totpFailureSweep } from './totp/totp.sweep.ts';
import { sourceTechnicianService } from './user-source/source-technician.parts.ts';
import { sourceConflictSweep, userSourceHandlers } from './user-source/user-source.consumer.ts';

const schema = 'tenants';

export interface TenantsOptions {
  clock?: Clock;
  /** Takes the first-administrator link; printed to standard output otherwise, and nowhere else. */
  onFirstLink?: (link: string) => void;
}

/** Starts the service: migrations (when it has the owner's connection), messaging, then the door for the gateway. */
export async function startTenants(config: TenantsConfig, options: TenantsOptions = {}): Promise<Running> {
  const clock = options.clock ?? systemClock;
  const log = createLog('tenants', config.LOG_LEVEL);
  const keys = fileKeyProvider(config.KEY_FILE);
  const signingKey = privateKeyFromPem(readFileSync(config.MESSAGE_SIGNING_KEY_FILE, 'utf8'));
  const vapidKey = vapidKeyFromPem(readFileSync(config.VAPID_KEY_FILE, 'utf8'));
  if (config.DATABASE_OWNER_URL !== undefined) {
    await migrate({ ownerUrl: config.DATABASE_OWNER_URL, schema, directory: join(import.meta.dirname, '..', 'migrations') });
  }
  const tenancy = await Tenancy.open({ schema, appUrl: config.DATABASE_URL, systemUrl: config.DATABASE_SYSTEM_URL });
  const closing = [() => tenancy.close()];
  const close = async () => {
    for (const stop of closing.toReversed()) await stop();
  };
  try {
    const presence = new Presence(new DeviceRepository(), clock);
    const auditKey = await keys.derive(auditKeyLabel);
    const subject = config.VAPID_SUBJECT ?? `mailto:postmaster@${new URL(config.PUBLIC_URL).hostname}`;
    const push = new PushSweep(tenancy, new PushClient(vapidKey, subject, config.PUSH_HOSTS), clock, log);
    closing.push(() => push.close());
    const broadcast = await connectBroadcast(config.QUEUE_URL, (error) =>
      log.warn({ err: error }, 'revocations are not broadcast; tokens end by themselves'),
    );
    closing.push(() => broadcast.close());
    const revoke = (subjectId: string) => broadcast.publish('credential-revoked', subjectId);
    const sourceTechnicians = sourceTechnicianService({ tenancy, clock, revoke });
    const messaging = await Messaging.start({
      service: 'tenants',
      tenancy,
      queueUrl: config.QUEUE_URL,
      signingKey,
      publicKeys: config.MESSAGE_PUBLIC_KEYS,
      handlers: {
        ...auditHandlers(auditKey),
        ...auditRetentionHandlers(),
        ...pushHandlers(clock),
        ...userSourceHandlers(sourceTechnicians),
      },
      sweeps: [
        presence.sweep,
        passkeyChallengeSweep,
        identityProviderSignInSweep,
        ...sessionSweeps,
        push,
        pushForgetSweep,
        totpFailureSweep,
        sourceConflictSweep(sourceTechnicians),
        new AuditRetentionSweep(auditKey, log),
      ],
      log,
      clock,
    });
    closing.push(() => messaging.close());
    const app = await startSubgraph({
      name: 'tenants',
      module: AppModule.with({
        ...{ tenancy, clock, keys, presence, revoke, log, sourceTechnicians },
        push: { publicKey: vapidKey.publicKey, hosts: config.PUSH_HOSTS },
        publicUrl: config.PUBLIC_URL.replace(/\/+$/, ''),
        allowInsecureIdentityProvider: config.ALLOW_INSECURE_IDENTITY_PROVIDER,
      }),
      gatewayPublicKeys: config.GATEWAY_PUBLIC_KEYS,
      host: config.HOST,
      port: config.PORT,
      ready: async () => (await tenancy.asSystem((tx) => tx.query('select 1'))).length === 1,
    });
    closing.push(() => app.close());
    const firstLink = await app.get(JoiningService).firstLink();
    if (firstLink !== null) (options.onFirstLink ?? printFirstLink)(firstLink);
    return { url: app.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function printFirstLink(link: string): void {
  process.stdout.write(`\nNobody can sign in yet. This link makes the first administrator, once:\n  ${link}\n\n`);
}
