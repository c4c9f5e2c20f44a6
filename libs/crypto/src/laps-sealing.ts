/** What sealed LAPS passwords are bound to (HPKE `info`, RFC 9180 section 5). */
export const lapsSealing = {
  /** By the agent, to the tenant's vault key. */
  escrow: {
    info: 'stint laps escrow',
    aad: (tenantId: string, accountId: string, versionId: string) => `${tenantId} ${accountId} ${versionId}`,
  },
  /** By the vault, to a reader's key. */
  reveal: { info: 'stint laps reveal', aad: (accountId: string, versionId: string) => `${accountId} ${versionId}` },
  /** By the vault, to an offline key. */
  export: { info: 'stint laps export', aad: (tenantId: string, accountId: string) => `${tenantId} ${accountId}` },
} as const;
