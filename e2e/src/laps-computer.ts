import { parse } from 'graphql';
import { generateHpkeKeyPair, generateSigningKey, lapsSealing, publicKeyX, sealTo } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { StintClient } from '@stint/sdk';

interface DesiredAccount {
  id: string;
  name: string;
  rotate: boolean;
  fence: number;
  takeOver: string | null;
}
interface ThisDevice {
  id: string;
  tenant: { id: string };
  lapsState: { accounts: DesiredAccount[] | null; vaultKey: { id: string; publicKey: string } | null };
}
interface Finding {
  digest: string;
  uid: number;
  lastLogOnAt: string;
  groups: string[];
  uses: string[];
}

const lapsState = parse(
  '{ thisDevice { id tenant { id } lapsState { accounts { id name rotate fence takeOver } vaultKey { id publicKey } } } }',
);

/** A computer whose agent keeps break-glass passwords as the protocol says; the system behind it is one password in memory. */
export class LapsComputer {
  readonly id = newId();
  readonly hostName: string;
  /** What opens the account on the computer now; null while there is none. */
  password: string | null = null;
  readonly #url: string;
  readonly #credential = { id: newId(), privateKey: generateSigningKey() };
  readonly #client: StintClient;

  constructor(url: string, hostName: string) {
    this.#url = url;
    this.hostName = hostName;
    this.#client = new StintClient({ url, credential: this.#credential });
  }

  async enroll(token: string): Promise<void> {
    const input = {
      ...{ token, deviceId: this.id, credentialId: this.#credential.id, publicKey: publicKeyX(this.#credential.privateKey) },
      ...{ hpkeKey: (await generateHpkeKeyPair()).publicKey, hostName: this.hostName, platform: 'Debian 12' },
      hardwareId: this.id.replaceAll('-', '').repeat(2),
    };
    await this.#mutate('enrollDevice', 'EnrollDeviceInput', input, new StintClient({ url: this.#url }));
  }

  /** One check-in: keeps, sets and confirms a new password where one is due; answers whether it did. */
  async checkIn(): Promise<boolean> {
    const { account, device } = await this.#state();
    const { vaultKey } = device.lapsState;
    if (account === undefined || vaultKey === null || !account.rotate) return false;
    const versionId = newId();
    const password = `pw-${newId()}`;
    const { info, aad } = lapsSealing.escrow;
    const place = { publicKey: vaultKey.publicKey, info, aad: aad(device.tenant.id, account.id, versionId) };
    const sealed = await sealTo(place, Buffer.from(password));
    const input = { accountId: account.id, versionId, fence: account.fence, keyId: vaultKey.id, ...sealed };
    await this.#mutate('escrowLapsPassword', 'EscrowLapsPasswordInput', input);
    this.password = password;
    await this.#mutate('confirmLapsPassword', 'ConfirmLapsPasswordInput', { accountId: account.id, versionId });
    return true;
  }

  /** Tells of an account that was there before. */
  async report(finding: Finding): Promise<void> {
    const { account } = await this.#state();
    if (account === undefined) throw new Error('No account is wanted here yet.');
    await this.#mutate('reportLapsAccount', 'ReportLapsAccountInput', { accountId: account.id, finding });
  }

  /** The digest of what may be taken over; null while nobody said yes. */
  async takeOver(): Promise<string | null> {
    return (await this.#state()).account?.takeOver ?? null;
  }

  async #state(): Promise<{ device: ThisDevice; account: DesiredAccount | undefined }> {
    const { thisDevice } = await this.#client.request<{ thisDevice: ThisDevice }, object>(lapsState as never, {});
    return { device: thisDevice, account: thisDevice.lapsState.accounts?.[0] };
  }

  async #mutate(name: string, inputType: string, input: object, client = this.#client): Promise<void> {
    const document = parse(`mutation ($input: ${inputType}!) { ${name}(input: $input) { __typename ... on Problem { message } } }`);
    const answer = await client.request<Record<string, { message?: string }>, object>(document as never, { input });
    if (answer[name]?.message !== undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  }
}
