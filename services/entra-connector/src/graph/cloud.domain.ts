/** Microsoft's clouds: each has its own sign-in and its own Graph, and knows nothing of the others. */
export const clouds = ['GLOBAL', 'US_GOV', 'US_DOD', 'CHINA'] as const;
export type Cloud = (typeof clouds)[number];

/** Where tokens and Graph of a cloud are; both without a slash at the end. */
export interface CloudAddresses {
  loginUrl: string;
  graphUrl: string;
}

const addresses: Record<Cloud, CloudAddresses> = {
  GLOBAL: { loginUrl: 'https://login.microsoftonline.com', graphUrl: 'https://graph.microsoft.com' },
  US_GOV: { loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://graph.microsoft.us' },
  US_DOD: { loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://dod-graph.microsoft.us' },
  CHINA: { loginUrl: 'https://login.partner.microsoftonline.cn', graphUrl: 'https://microsoftgraph.chinacloudapi.cn' },
};

/** The addresses of a cloud; of the emulator, where there is one, for all of them. */
export function addressesOf(cloud: Cloud, emulatorUrl: string | undefined): CloudAddresses {
  if (emulatorUrl === undefined) return addresses[cloud];
  const base = emulatorUrl.replace(/\/+$/, '');
  return { loginUrl: `${base}/login`, graphUrl: base };
}
