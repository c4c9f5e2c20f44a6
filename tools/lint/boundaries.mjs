// The arrows between packages, by their tags (nx.tags in each package.json). What is not listed is not allowed.
const lib = (...names) => names.map((name) => `lib:${name}`);

const arrows = {
  'lib:kernel': [],
  'lib:contracts': lib('kernel'),
  'lib:crypto': lib('kernel', 'contracts'),
  'lib:tenancy': lib('kernel', 'contracts'),
  'lib:host': lib('kernel', 'contracts', 'crypto'),
  'lib:messaging': lib('kernel', 'contracts', 'crypto', 'tenancy'),
  'lib:subgraph': lib('kernel', 'contracts', 'crypto', 'tenancy'),
  'lib:sdk': lib('kernel', 'contracts', 'crypto'),
  'lib:passkey-emulator': [],
  'lib:graph-emulator': lib('kernel'),
  'lib:evidence': lib('contracts', 'crypto'),
  'lib:testing': lib('kernel', 'contracts', 'crypto', 'tenancy', 'messaging', 'host'),
  // A service never imports a service: what it must know of another it gets by message.
  'layer:service': lib('kernel', 'contracts', 'crypto', 'evidence', 'tenancy', 'messaging', 'subgraph', 'host'),
  'layer:gateway': lib('kernel', 'contracts', 'crypto', 'messaging', 'host'),
  // Clients reach Stint through the gateway only.
  'layer:client': lib('kernel', 'contracts', 'crypto', 'evidence', 'host', 'sdk'),
  'layer:deploy': ['*'],
  'layer:e2e': ['*'],
};

// What specs may use besides: never a service as it runs.
const ofTests = lib('testing', 'sdk', 'passkey-emulator', 'graph-emulator');

/** Options of @nx/enforce-module-boundaries for code, or for specs, which may use @stint/testing and the emulators, and call what they test through @stint/sdk, as well. */
export function boundaries({ specs }) {
  return {
    allow: [],
    // Apps (services, gateway, agent) are packages with an index.ts, so the launcher and tests can start them in one process.
    enforceBuildableLibDependency: false,
    // Only specs import @stint/testing, which itself stands on these libraries: no cycle in what runs.
    ignoredCircularDependencies: specs ? [['*', '@stint/testing']] : [],
    depConstraints: Object.entries(arrows).map(([sourceTag, targets]) => ({
      sourceTag,
      onlyDependOnLibsWithTags: specs && !targets.includes('*') ? [...targets, ...ofTests] : targets,
    })),
  };
}
