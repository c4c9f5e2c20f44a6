import { DirectoryError, type CredentialFault } from './directory-error.ts';

/** What Microsoft's token endpoint answers instead of a token (RFC 6749 §5.2, with Microsoft's numbers). */
export interface TokenRefusal {
  status: number;
  error: string;
  description: string;
  numbers: readonly number[];
}

/** What went wrong and what to do about it, for an administrator. */
const faults: Record<CredentialFault, string> = {
  NOT_CONNECTED: 'This tenant is not connected to Entra ID. Connect it first.',
  SECRET_WRONG:
    'Entra does not accept the client secret. Make a new one under "Certificates & secrets", and give its value (not its id) to Stint.',
  SECRET_EXPIRED: 'The client secret has expired. Add a certificate or a new secret to this connection.',
  CERTIFICATE_UNKNOWN:
    'Entra does not know the certificate. Upload the one that Stint shows under "Certificates & secrets" of the app registration, then verify again.',
  CERTIFICATE_EXPIRED: 'The certificate has expired. Let Stint make a new one, and upload it.',
  TENANT_UNKNOWN:
    'Entra knows no tenant with this id in this cloud. Look it up under "Overview" in the Entra admin center, and check the cloud.',
  WRONG_TENANT: 'The token is for another Entra tenant than the one that is connected. Check the tenant id.',
  APP_UNKNOWN:
    'Entra does not know the application (client) id in this tenant. Check the id, and that an administrator of the tenant has consented.',
  APP_DISABLED: 'The application is disabled in this tenant. Enable sign-in for it under "Enterprise applications", "Properties".',
  CONSENT_MISSING: 'An administrator of the tenant has not consented (any more). Open the consent page and have one accept.',
  SIGN_IN_BLOCKED:
    'A Conditional Access policy of the tenant blocks the application. Exclude it from that policy, or allow the addresses from which Stint calls.',
  REFUSED:
    'Entra does not let the application in. Its number tells more in the sign-in logs of the tenant, under "Service principal sign-ins".',
};

const byNumber: readonly [CredentialFault, readonly number[]][] = [
  ['SECRET_WRONG', [7000215, 7000216]],
  ['SECRET_EXPIRED', [7000222]],
  ['TENANT_UNKNOWN', [90002, 900021, 900023]],
  ['APP_UNKNOWN', [700016]],
  ['APP_DISABLED', [7000112, 7000113]],
  ['CONSENT_MISSING', [65001, 500011, 7000229, 650052]],
  ['SIGN_IN_BLOCKED', [53000, 53001, 53002, 53003, 53004, 53011, 530032, 530035, 530036]],
  ['CERTIFICATE_UNKNOWN', [700027, 700023, 700024, 700030, 7000218]],
];

/** Why there is no token. */
export function tokenFailure({ status, error, description, numbers }: TokenRefusal): DirectoryError {
  const [number] = numbers;
  const code = number === undefined ? error : `AADSTS${number}`;
  if (status === 429) return new DirectoryError({ kind: 'THROTTLED', message: 'Microsoft wants fewer sign-ins at the moment.', code });
  if (status >= 500 || error === 'temporarily_unavailable') {
    return new DirectoryError({ kind: 'UNAVAILABLE', message: "Microsoft's sign-in does not answer as it should at the moment.", code });
  }
  const found = byNumber.find(([, known]) => numbers.some((one) => known.includes(one)))?.[0] ?? 'REFUSED';
  return credentialError(found === 'CERTIFICATE_UNKNOWN' && /expired/i.test(description) ? 'CERTIFICATE_EXPIRED' : found, code);
}

/** The error of a fault, with what to do about it. */
export function credentialError(fault: CredentialFault, code?: string): DirectoryError {
  return new DirectoryError({ kind: 'CREDENTIAL', credential: fault, message: faults[fault], ...(code === undefined ? {} : { code }) });
}
