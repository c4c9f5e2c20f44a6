import { PasskeyEmulator, type SavedPasskey } from '@stint/passkey-emulator';
import { expectType, signIn, StintClient } from '@stint/sdk';
import { DemoRedeemDocument, DemoStartJoiningDocument } from './generated/operations.ts';

// The same passkey is used by several processes, as on several devices: it counts nothing (WebAuthn §6.1.1).
const synchronised = { counter: 0 };

/** What is kept of a person of the demo: who they are, and the passkeys on their imaginary phone. */
export interface SavedPerson {
  technicianId: string;
  tenantId: string;
  email: string;
  passkeys: SavedPasskey[];
}

/** A person of the demo with a passkey in software, signed in as with a browser. */
export class Person {
  readonly technicianId: string;
  readonly tenantId: string;
  readonly email: string;
  readonly client: StintClient;
  readonly #url: string;
  readonly #phone: PasskeyEmulator;

  private constructor(url: string, saved: Omit<SavedPerson, 'passkeys'>, phone: PasskeyEmulator, client: StintClient) {
    this.#url = url;
    this.technicianId = saved.technicianId;
    this.tenantId = saved.tenantId;
    this.email = saved.email;
    this.#phone = phone;
    this.client = client;
  }

  /** Redeems an invitation or the first-administrator link with a new passkey, and signs in. */
  static async join(url: string, link: string, who: { displayName: string; email: string; mspName?: string }): Promise<Person> {
    const token = new URL(link).hash.slice(1);
    const anonymous = new StintClient({ url });
    const { startJoining } = await anonymous.request(DemoStartJoiningDocument, { input: { token } });
    const { optionsJson, kind } = expectType(startJoining, 'JoiningStarted');
    const phone = new PasskeyEmulator();
    const registration = JSON.stringify(phone.register(optionsJson, url));
    const { email, ...named } = who;
    const input = { token, registration, ...named, ...(kind === 'FIRST_ADMINISTRATOR' && { email }) };
    const { redeemInvitation } = await anonymous.request(DemoRedeemDocument, { input });
    const { technician } = expectType(redeemInvitation, 'SignUp');
    if (technician.tenant == null) throw new Error('The new technician belongs to no tenant.');
    return Person.#signedIn(url, { technicianId: technician.id, tenantId: technician.tenant.id, email }, phone);
  }

  /** Somebody who has joined before. */
  static async signIn(url: string, saved: SavedPerson): Promise<Person> {
    return Person.#signedIn(url, saved, new PasskeyEmulator(saved.passkeys));
  }

  static async #signedIn(url: string, saved: Omit<SavedPerson, 'passkeys'>, phone: PasskeyEmulator): Promise<Person> {
    const credential = await signIn({ url, passkey: (options, origin) => phone.sign(options as never, origin, synchronised) });
    return new Person(url, saved, phone, new StintClient({ url, credential }));
  }

  /** Uses the passkey as a page of Stint asks: signs `challenge`, after the owner has unlocked it. Answers the assertion as JSON. */
  sign(challenge: Buffer): string {
    const options = {
      challenge: challenge.toString('base64url'),
      rpId: new URL(this.#url).hostname,
      userVerification: 'required' as const,
    };
    return JSON.stringify(this.#phone.sign(options, this.#url, synchronised));
  }

  /** What to keep in a file that only its owner can read: it holds the private keys. */
  toJSON(): SavedPerson {
    const { technicianId, tenantId, email } = this;
    return { technicianId, tenantId, email, passkeys: this.#phone.toJSON() };
  }
}
