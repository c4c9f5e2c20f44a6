/** What sealed one-time credentials of Entra accounts are bound to (HPKE `info`, RFC 9180 section 5). */
export const entraSealing = {
  /** By the connector, to a technician's key. */
  credential: {
    info: 'stint entra credential',
    aad: (tenantId: string, grantId: string, accountId: string) => `${tenantId} ${grantId} ${accountId}`,
  },
} as const;
