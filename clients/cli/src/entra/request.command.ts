import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { id } from '../arguments.ts';
import { ExplainEntraAccessDocument } from '../generated/operations.ts';
import { accessFields } from '../access/access-fields.ts';
import { answered, found, type Act } from '../session.ts';

/** `entra request`: what asking for a role would mean. The asking itself takes a passkey, and a key that stays in the browser. */
export function addEntraRequestCommand(group: Command, act: Act): void {
  group
    .command('request')
    .description('what you may ask for, and where to ask for it with your passkey: the one-time credential opens in that browser only')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<role>', 'the role\'s name in Entra, such as "User Administrator"')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, entraRole: string) => {
        const { client, profile } = await signedIn();
        const answer = await client.request(ExplainEntraAccessDocument, { tenantId, entraRole });
        const tenant = found(answer.tenant, 'tenant');
        const explained = answered(answer.explainAccess, 'access rules');
        const why =
          tenant.entraConnection?.whyUnusable ?? (tenant.entraConnection === null ? 'This tenant is not connected to Entra.' : null);
        const askAt = explained.allowed && why === null ? `${profile.url}/app/entra` : null;
        output.thing({ tenant, entraRole, ...explained, askAt }, [
          ['customer', tenant.name],
          ['role in Entra', entraRole],
          ...accessFields(explained),
          ['connection', why === null ? '' : { text: why, tone: 'bad' }],
          ['ask at', askAt ?? ''],
        ]);
        return askAt === null ? 1 : 0;
      }),
    );
}
