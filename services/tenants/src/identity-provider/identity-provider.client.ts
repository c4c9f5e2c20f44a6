import { Inject, Injectable } from '@nestjs/common';
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import * as oidc from 'openid-client';
import { ALLOW_INSECURE_IDENTITY_PROVIDER } from '../tokens.ts';
import { isAllowedAddress, vouchedBy, type Vouched } from './identity-provider.domain.ts';

/** How we prove ourselves to an identity provider. */
export type ClientProof = { secret: string } | { privateJwk: JWK };
export interface Relation {
  issuer: string;
  clientId: string;
  proof: ClientProof;
}
/** What must come back with the answer; kept here, wrapped, while the browser is away. */
export interface SignInSecrets {
  state: string;
  nonce: string;
  verifier: string;
}

const timeoutSeconds = 10;
const keyAlgorithm = 'ES256';

/** The network side of an MSP's identity provider (OpenID Connect code flow, PKCE). Never called inside a transaction. */
@Injectable()
export class IdentityProviderClient {
  constructor(@Inject(ALLOW_INSECURE_IDENTITY_PROVIDER) private readonly allowInsecure: boolean) {}

  /** A key for private_key_jwt: what to keep, and what to register at the identity provider. */
  async newClientKey(): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
    const pair = await generateKeyPair(keyAlgorithm, { extractable: true });
    const more = { alg: keyAlgorithm, use: 'sig' };
    return { privateJwk: { ...(await exportJWK(pair.privateKey)), ...more }, publicJwk: { ...(await exportJWK(pair.publicKey)), ...more } };
  }

  /** Whether an OpenID provider of this name answers there (OpenID Connect Discovery §4). */
  async answers(issuer: string, clientId: string): Promise<boolean> {
    try {
      await this.#discover(issuer, clientId, oidc.None());
      return true;
    } catch {
      return false;
    }
  }

  /** Where to send the browser. Throws when the identity provider does not answer, or not as one. */
  async begin(relation: Relation, redirectUri: string, email: string): Promise<{ url: string; secrets: SignInSecrets }> {
    const config = await this.#discover(relation.issuer, relation.clientId, await authentication(relation.proof));
    const secrets = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email',
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
      login_hint: email,
    });
    if (!isAllowedAddress(url, this.allowInsecure)) throw new Error('The authorization endpoint is at an address that is not allowed.');
    return { url: url.href, secrets };
  }

  /** Who has come back. Throws for an answer that is not the right and first one to this sign-in. */
  async end(relation: Relation, callbackUrl: string, secrets: SignInSecrets): Promise<Vouched> {
    const config = await this.#discover(relation.issuer, relation.clientId, await authentication(relation.proof));
    const tokens = await oidc.authorizationCodeGrant(config, new URL(callbackUrl), {
      pkceCodeVerifier: secrets.verifier,
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('No ID token came.');
    if (claims['email'] !== undefined || config.serverMetadata().userinfo_endpoint === undefined) return vouchedBy(claims);
    return vouchedBy(await oidc.fetchUserInfo(config, tokens.access_token, claims.sub));
  }

  async #discover(issuer: string, clientId: string, authentication: oidc.ClientAuth): Promise<oidc.Configuration> {
    return oidc.discovery(new URL(issuer), clientId, undefined, authentication, {
      timeout: timeoutSeconds,
      // Every address that its metadata names is held to the rule of the issuer's own.
      [oidc.customFetch]: async (url, options) => {
        if (!isAllowedAddress(new URL(url), this.allowInsecure))
          throw new Error('The identity provider names an address that is not allowed.');
        return fetch(url, { ...options, redirect: 'error' } as RequestInit);
      },
      ...(this.allowInsecure && { execute: [oidc.allowInsecureRequests] }),
    });
  }
}

async function authentication(proof: ClientProof): Promise<oidc.ClientAuth> {
  if ('secret' in proof) return oidc.ClientSecretPost(proof.secret);
  return oidc.PrivateKeyJwt((await importJWK(proof.privateJwk, keyAlgorithm)) as oidc.CryptoKey);
}
