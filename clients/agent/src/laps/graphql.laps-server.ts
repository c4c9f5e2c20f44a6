import { NetworkError, type StintClient } from '@stint/sdk';
import { Refused } from '../control-plane/control-plane.ts';
import {
  ConfirmLapsPasswordDocument,
  EscrowLapsPasswordDocument,
  LapsStateDocument,
  ReportLapsAccountDocument,
} from '../generated/operations.ts';
import type { Escrow, LapsReport, LapsServer, LapsState } from './laps-server.ts';

/** The vault behind Stint's public GraphQL interface. */
export class GraphqlLapsServer implements LapsServer {
  #client: StintClient;

  constructor(client: StintClient) {
    this.#client = client;
  }

  /** From here on it is asked as this client: the computer has a new key. */
  use(client: StintClient): void {
    this.#client = client;
  }

  async state(knownRevision: number | null): Promise<LapsState> {
    const { thisDevice } = await this.#client.request(LapsStateDocument, { knownRevision });
    // A part of the graph that fails blanks its field: no answer is not the same as no accounts.
    if (!thisDevice.lapsState || !thisDevice.tenant) throw new NetworkError('The vault had no answer.');
    const { revision, accounts, vaultKey } = thisDevice.lapsState;
    const desired = accounts?.flatMap(({ kind, currentVersionId, takeOver, ...account }) =>
      // Accounts in Entra are on no device.
      kind === 'ENTRA' ? [] : [{ ...account, kind, currentVersionId: currentVersionId ?? null, takeOver: takeOver ?? null }],
    );
    return { revision, accounts: desired ?? null, vaultKey: vaultKey ?? null, tenantId: thisDevice.tenant.id };
  }

  async escrow({ sealed, ...change }: Escrow): Promise<'TAKEN' | 'STALE'> {
    const { escrowLapsPassword: answer } = await this.#client.request(EscrowLapsPasswordDocument, { input: { ...change, ...sealed } });
    if (answer.__typename === 'LapsEscrowed') return 'TAKEN';
    if (answer.__typename === 'StaleFence') return 'STALE';
    throw new Refused(answer.message);
  }

  async confirm(accountId: string, versionId: string): Promise<'CONFIRMED' | 'STALE'> {
    const { confirmLapsPassword: answer } = await this.#client.request(ConfirmLapsPasswordDocument, { input: { accountId, versionId } });
    if (answer.__typename === 'LapsConfirmed') return 'CONFIRMED';
    if (answer.__typename === 'StaleFence') return 'STALE';
    throw new Refused(answer.message);
  }

  async report(report: LapsReport): Promise<void> {
    const { reportLapsAccount: answer } = await this.#client.request(ReportLapsAccountDocument, { input: report });
    if (answer.__typename !== 'LapsReportTaken') throw new Refused(answer.message);
  }
}
