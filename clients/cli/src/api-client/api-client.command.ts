import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { displayName, ed25519PublicKey, permissions, type Permission } from '@stint/contracts';
import { generateSigningKey, privateKeyToPem, publicKeyX } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { expectType, ProblemError, type StintClient } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import { CommandRefusal, UsageError } from '../failure.ts';
import {
  ApiClientsDocument,
  CreateApiClientDocument,
  RevokeApiClientDocument,
  type ApiClientRowFragment,
  type CreateApiClientInput,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { writeNewPrivateFile } from '../profile/private-file.ts';
import type { Cell, Field } from '../render/table.ts';
import { found, type Act } from '../session.ts';

interface CreateOptions {
  permission: Permission[];
  publicKey?: string;
  newKey?: string;
}

export function addApiClientCommands(program: Command, act: Act): void {
  const group = program.command('api-client').description('partner integrations and PSA/RMM plugins');

  withListOptions(
    group.command('list').description('list the API clients of a tenant, oldest first').argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(
        rowLimit(options),
        async (at) => found((await client.request(ApiClientsDocument, { tenantId, ...at })).tenant, 'tenant').apiClients,
      );
      const columns = [
        { title: 'ID', show: (each: ApiClientRowFragment) => each.id },
        { title: 'CLIENT ID', show: (each: ApiClientRowFragment) => each.clientId },
        { title: 'NAME', show: (each: ApiClientRowFragment) => each.name },
        { title: 'STATE', show: state },
        { title: 'MAY', show: (each: ApiClientRowFragment) => each.permissions.join(', ') },
      ];
      output.list(page, columns, 'This tenant has no API clients.');
    }),
  );

  group
    .command('create')
    .description('make an API client, bound to a key of its own')
    .argument('<tenant>', 'the tenant that it reaches, with all below', id)
    .argument('<name>', 'its name', text(displayName))
    .requiredOption('--permission <permission>', `what it may do (repeatable): ${permissions.join(', ')}`, permission)
    .option('--public-key <x>', "the x of the integration's own Ed25519 JWK", text(ed25519PublicKey))
    .option('--new-key <file>', 'or: make a key pair and write the private key (PKCS#8 PEM) to this new file')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, name: string, options: CreateOptions) => {
        if ((options.publicKey === undefined) === (options.newKey === undefined))
          throw new UsageError('Give either --public-key or --new-key.');
        const { client } = await signedIn();
        const keyFile = options.newKey === undefined ? null : resolve(options.newKey);
        const publicKey = keyFile === null ? (options.publicKey ?? '') : await makeKey(keyFile);
        const input = { id: newId(), clientId: newId(), tenantId, name, publicKey, permissions: [...new Set(options.permission)] };
        const made = await create(client, input).catch(async (error: unknown) => {
          // Refused for certain: nobody will ever need the key.
          if (keyFile !== null && error instanceof ProblemError) await rm(keyFile, { force: true });
          throw error;
        });
        output.thing(
          made,
          [...fields(made), ['private key in', keyFile ?? '']],
          'API client made. It signs in with its client id and its private key.',
        );
      }),
    );

  group
    .command('revoke')
    .description('revoke an API client: its credential ends at once')
    .argument('<id>', "the API client's id", id)
    .action(
      act(async ({ signedIn, output }, clientId: Id) => {
        const { client } = await signedIn();
        const { revokeApiClient } = await client.request(RevokeApiClientDocument, { input: { id: clientId } });
        const { __typename, ...revoked } = expectType(revokeApiClient, 'ApiClient');
        output.thing(revoked, fields(revoked), 'API client revoked.');
      }),
    );
}

async function create(client: StintClient, input: CreateApiClientInput): Promise<ApiClientRowFragment> {
  const { createApiClient } = await client.request(CreateApiClientDocument, { input });
  const { __typename, ...made } = expectType(createApiClient, 'ApiClient');
  return made;
}

function permission(value: string, before: Permission[] | undefined): Permission[] {
  const known = permissions.find((each) => each === value);
  if (known === undefined) throw new InvalidArgumentError(`It must be one of ${permissions.join(', ')}.`);
  return [...(before ?? []), known];
}

/** The key is on disk before the server hears of it: a crash in between loses nothing. */
async function makeKey(path: string): Promise<string> {
  const privateKey = generateSigningKey();
  try {
    await writeNewPrivateFile(path, privateKeyToPem(privateKey));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandRefusal('FILE_EXISTS', `${path} exists already. Choose another file; an old key is never overwritten.`);
  }
  return publicKeyX(privateKey);
}

function state({ active }: ApiClientRowFragment): Cell {
  return active ? { text: 'active', tone: 'good' } : { text: 'revoked', tone: 'bad' };
}

function fields(each: ApiClientRowFragment): Field[] {
  return [
    ['id', each.id],
    ['client id', each.clientId],
    ['name', each.name],
    ['state', state(each)],
    ['may', each.permissions.join(', ')],
  ];
}
